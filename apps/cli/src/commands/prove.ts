import { existsSync } from 'node:fs'
import { InvalidNetwork, type Network, readNetwork } from '@warder/outbound'
import type { Command, Input } from '../command.ts'
import { paint, print, table } from '../output.ts'
import { Problem } from '../problem.ts'
import { readPolicyFile } from '../protect/load-policy.ts'
import { untilSignal } from '../protect/until-signal.ts'
import { proveInside } from '../prove/inside/prove-inside.ts'
import { toolsOfPolicy } from '../prove/inside/tools-of-policy.ts'
import type { ProofRow } from '../prove/proof.ts'
import { proveFromOutside } from '../prove/prove-from-outside.ts'

export const prove: Command = {
  usage: 'prove URL [--json] | prove --inside [--policy FILE] [--issuer URL] [--json]',
  options: {
    inside: {
      says: 'Try a policy file with tokens and codes, on a throwaway instance that is deleted afterwards',
    },
    policy: { value: 'FILE', says: 'With --inside: the policy file (default: warder.yaml)' },
    issuer: { value: 'URL', says: 'With --inside: the authorization server that protect --issuer names' },
    json: { says: 'Print one JSON object' },
  },
  examples: [
    'warder prove http://localhost:8765/everything/mcp',
    'warder prove https://mcp.example.com/mcp --json',
    'warder prove --inside --policy warder.yaml',
  ],
  async run(input) {
    return input.switches.has('inside') ? runInside(input) : runOutside(input)
  },
}

async function runOutside({ words, options, switches }: Input): Promise<number> {
  const [url] = words
  if (
    url === undefined ||
    words.length > 1 ||
    !URL.canParse(url) ||
    !/^https?:$/.test(new URL(url).protocol)
  ) {
    throw new Problem('say the address of the MCP endpoint: warder prove https://mcp.example.com/mcp', 2)
  }
  if (options['policy'] !== undefined || options['issuer'] !== undefined)
    throw new Problem('--policy and --issuer go with --inside.', 2)
  const rows = await proveFromOutside(url, networkOfUser()).catch((error: Error) => {
    throw new Problem(`nothing answers at ${url}: ${error.message}`)
  })
  const failures = countFailures(rows)
  if (switches.has('json')) print(JSON.stringify({ url, failed: failures, rows }))
  else {
    printRows(rows)
    print('')
    print(
      failures === 0
        ? 'No stranger gets in by these.'
        : `${failures} of ${rows.length} attempts found an open door.`,
    )
  }
  return failures === 0 ? 0 : 1
}

function networkOfUser(): Network {
  try {
    return readNetwork(process.env)
  } catch (error) {
    throw error instanceof InvalidNetwork ? new Problem(error.message) : error
  }
}

async function runInside({ words, options, switches }: Input): Promise<number> {
  if (words.length > 0)
    throw new Problem('--inside tries a policy file, not an address: leave the address out.', 2)
  const file = options['policy'] ?? 'warder.yaml'
  if (!existsSync(file)) throw new Problem(`there is no ${file}. Name the policy file by --policy.`)
  const policy = readPolicyFile(file)
  const issuer = options['issuer']
  if (issuer !== undefined && !URL.canParse(issuer))
    throw new Problem('--issuer takes the address of an authorization server.', 2)
  // Ctrl-C does not end the process before what was made for the proof is deleted.
  let isOver = false
  untilSignal().then(
    () => {
      isOver = true
    },
    () => undefined,
  )
  const servers: { readonly name: string; readonly rows: readonly ProofRow[] }[] = []
  for (const server of policy.servers.values()) {
    const rows = await proveInside({ policy, server, tools: toolsOfPolicy(server), issuer }, () => isOver)
    if (isOver) return 130
    servers.push({ name: server.name, rows })
  }
  const failures = countFailures(servers.flatMap(({ rows }) => rows))
  if (switches.has('json')) {
    print(JSON.stringify({ policy: file, failed: failures, servers }))
    return failures === 0 ? 0 : 1
  }
  for (const { name, rows } of servers) {
    print(paint('bold', name))
    printRows(rows)
    print('')
  }
  print(
    failures === 0
      ? 'Nobody gets further than the policy lets them by these.'
      : `${failures} attempts found an open door.`,
  )
  return failures === 0 ? 0 : 1
}

const countFailures = (rows: readonly ProofRow[]): number =>
  rows.filter(({ outcome }) => outcome === 'failed').length

function printRows(rows: readonly ProofRow[]): void {
  const colour = { passed: 'green', failed: 'red', warning: 'yellow', 'not-applicable': 'dim' } as const
  print(
    table(
      rows.map((row) => [paint(colour[row.outcome], row.outcome.replace('-', ' ')), row.title, row.says]),
      '',
    ),
  )
}
