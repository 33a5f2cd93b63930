import {
  type Call,
  type ClientClass,
  clientClasses,
  type Decision,
  decide,
  offeredScopes,
  type Policy,
  type Principal,
  type ServerPolicy,
} from '@warder/policy'
import { readStrictJson } from '@warder/protocol'
import type { Command, Input } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { paint, plain, print } from '../output.ts'
import { Problem } from '../problem.ts'
import { readPolicyFile } from '../protect/load-policy.ts'
import { policyFileOf, readText } from './policy-file.ts'

const usage =
  'policy explain --user NAME [--groups "A B"] [--client ID] [--class CLASS] [--scopes "A B"] [--args JSON] [--server NAME] [--policy FILE] [--json] TOOL'

export const policyExplain: Command = {
  usage,
  options: {
    user: {
      value: 'NAME',
      says: 'The user, by a name that the policy file may use: owner, an address, a subject',
    },
    issuer: { value: 'URL', says: 'Who signs the user in, where rows name an issuer' },
    groups: { value: '"A B"', says: 'Groups that the user’s token names, besides those of the file' },
    client: { value: 'ID', says: 'The client; a URL is one with a document there' },
    class: {
      value: 'CLASS',
      among: clientClasses,
      says: `How its identity is known: ${clientClasses.join(', ')} (default: local, document for a URL)`,
    },
    scopes: { value: '"A B"', says: 'Scopes of the token (default: all that this user can grant)' },
    args: { value: 'JSON', says: 'Arguments of the call; without them, what a list shows' },
    server: { value: 'NAME', says: 'The server, where the file has several' },
    policy: { value: 'FILE', says: 'Policy file (default: warder.yaml)' },
    json: { says: 'Print one JSON object' },
  },
  examples: [
    'warder policy explain --user owner delete_note',
    `warder policy explain --user ann@example.com --scopes "notes:read" --args '{"folder":"ci"}' create_note`,
    'warder policy explain --user bob@example.com --client https://claude.ai/oauth/client.json search_notes',
  ],
  async run(input) {
    const tool = oneWord(input, `say which tool: warder ${usage}`)
    const file = policyFileOf(input.options['policy'])
    readText(file)
    const policy = readPolicyFile(file)
    const server = findServer(policy, input.options['server'])
    const principal = readPrincipal(policy, server, input)
    const call = readCall(tool, input.options['args'])
    const decision = decide(policy, server.name, principal, call, Date.now())
    if (input.switches.has('json')) {
      const { user, client, scopes } = principal
      print(JSON.stringify({ server: server.name, user, client, scopes: [...scopes], call, decision }))
    } else {
      const listed = decide(policy, server.name, principal, { kind: 'tool', name: tool }, Date.now())
      print(inWords(server, principal, decision, tool, listed.outcome !== 'hidden'))
    }
    return 0
  },
}

function findServer(policy: Policy, wanted: string | undefined): ServerPolicy {
  const names = [...policy.servers.keys()]
  const name = wanted ?? (names.length === 1 ? names[0] : undefined)
  const server = name === undefined ? undefined : policy.servers.get(name)
  if (server === undefined) throw new Problem(`say which server by --server: ${names.join(', ')}.`, 2)
  return server
}

function readPrincipal(policy: Policy, server: ServerPolicy, { options }: Input): Principal {
  const name = options['user']
  if (name === undefined || name === '') throw new Problem('say who calls, by --user.', 2)
  const id = options['client'] ?? 'a-client'
  const byId: ClientClass = id.startsWith('https://') ? 'document' : 'local'
  const who = {
    user: { issuer: options['issuer'] ?? '', subject: name, names: [name], groups: words(options['groups']) },
    client: { id, class: (options['class'] as ClientClass | undefined) ?? byId },
  }
  const given = options['scopes']
  const scopes =
    given === undefined ? offeredScopes(policy, server.name, who).map((scope) => scope.name) : words(given)
  return { ...who, scopes: new Set(scopes), tokenId: 'none', expiresAt: Number.MAX_SAFE_INTEGER }
}

const words = (text: string | undefined): readonly string[] =>
  (text ?? '').split(/[\s,]+/).filter((word) => word !== '')

function readCall(name: string, args: string | undefined): Call {
  if (args === undefined) return { kind: 'tool', name }
  let read: unknown
  try {
    read = readStrictJson(new TextEncoder().encode(args))
  } catch {
    read = undefined
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new Problem(`--args takes a JSON object, such as '{"folder":"ci"}'.`, 2)
  return { kind: 'tool', name, args: read as Readonly<Record<string, unknown>> }
}

const colours = { open: 'green', locked: 'yellow', hidden: 'red' } as const

const meanings = {
  open: 'it is listed, and the call goes through',
  locked: 'it is listed where the file lets it; the call is answered with the scopes to ask for',
  hidden: 'it is not listed, and the call is refused',
} as const

function inWords(
  server: ServerPolicy,
  who: Principal,
  decision: Decision,
  tool: string,
  isListed: boolean,
): string {
  const { user, client, scopes } = who
  const missing = decision.outcome === 'locked' && decision.missing.length > 0
  return [
    `${paint(colours[decision.outcome], decision.outcome)}: ${meaningOf(decision, isListed)}.`,
    plain(`  because: ${decision.because}`),
    ...(missing ? [plain(`  missing: ${decision.missing.join(' ')}`)] : []),
    plain(
      `  asked:   ${tool} at ${server.name}, by ${user.names.join(' ')} with ${client.id} (${client.class})`,
    ),
    plain(`  scopes:  ${[...scopes].join(' ') || 'none'}`),
  ].join('\n')
}

function meaningOf(decision: Decision, isListed: boolean): string {
  if (decision.outcome === 'hidden' && isListed) return 'a list may show it, and this call is refused'
  if (decision.outcome === 'locked' && decision.missing.length === 0)
    return 'whether the call goes through depends on its arguments'
  return meanings[decision.outcome]
}
