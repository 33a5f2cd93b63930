import type { PreRegistered } from '@warder/client'
import { hosts } from '@warder/host-config'
import type { Input, Option } from '../command.ts'
import { Problem } from '../problem.ts'
import { readPassword } from '../read-password.ts'
import { defaultProfile } from './default-profile.ts'
import type { ServerTarget } from './find-server.ts'
import { storeOption } from './open-store.ts'
import { readPort, readScopeWords } from './read-words.ts'

/** How every command finds a sign-in. */
export const signInOptions: Readonly<Record<string, Option>> = {
  profile: { value: 'NAME', says: 'One of several accounts at this server (default: default)' },
  host: {
    value: 'HOST',
    says: `The MCP host whose server of this name is meant: ${hosts.join(', ')}`,
    among: hosts,
  },
  store: storeOption,
}

/** How a client makes itself known, and what it asks for. */
export const requestOptions: Readonly<Record<string, Option>> = {
  scope: { value: '"A B"', says: 'Ask for these scopes and no others' },
  'client-id': { value: 'ID', says: 'A client that you have registered yourself' },
  'client-secret-stdin': {
    says: 'Read its secret from standard input (or set MCP_CLIENT_SECRET besides --client-id)',
  },
  'callback-port': { value: 'PORT', says: 'Get the answer at http://localhost:PORT/callback, exactly' },
  resource: { value: 'URL', says: 'Send this as resource, for servers that know themselves by another name' },
  'no-resource': { says: 'Send no resource, for servers that refuse the parameter' },
  'metadata-url': { value: 'URL', says: 'Where the metadata of the authorization server is' },
  'dangerously-allow-missing-pkce': {
    says: 'Sign in although the server does not say that it supports PKCE',
  },
}

/** The profile: a short name, since it stands in messages and in commands to copy. */
export function readProfile({ options }: Pick<Input, 'options'>): string {
  const profile = options['profile'] ?? defaultProfile
  if (/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(profile)) return profile
  throw new Problem(
    '--profile is a short name: letters, digits, dot, hyphen, underscore and @, at most 64 of them.',
    2,
  )
}

/** The fixed callback port: from the command line, the server's entry, or Claude Code's variable. */
export function readCallbackPort(
  { options }: Pick<Input, 'options'>,
  target: ServerTarget,
): number | undefined {
  const given = options['callback-port']
  if (given !== undefined) return readPort(given, '--callback-port')
  if (target.callbackPort !== undefined)
    return readPort(String(target.callbackPort), 'the callback port in the entry of this server')
  const variable = process.env['MCP_OAUTH_CALLBACK_PORT']
  return variable === undefined || variable === '' ? undefined : readPort(variable, 'MCP_OAUTH_CALLBACK_PORT')
}

/** The scopes of `--scope`, each once; undefined where none are named. */
export function readScopes(
  { options }: Pick<Input, 'options'>,
  target: ServerTarget,
): readonly string[] | undefined {
  const given = options['scope']
  return given === undefined ? target.scopes : readScopeWords([given], '--scope')
}

/** What goes out as `resource`; undefined: what the server calls itself. */
export function readSendResource({ options, switches }: Input): string | false | undefined {
  const given = options['resource']
  if (!switches.has('no-resource')) return given
  if (given === undefined) return false
  throw new Problem('--resource and --no-resource exclude each other.', 2)
}

/**
 * A client that the user has registered: its secret comes by standard input or a variable, never as an argument. The variable
 * counts only for a client that the command line names: else a project's file with a client id of its own would get the secret
 * sent to the authorization server of its choice.
 */
export async function readPreRegistered(
  input: Input,
  target: ServerTarget,
): Promise<PreRegistered | undefined> {
  const named = input.options['client-id']
  const clientId = named ?? target.clientId
  const wantsSecret = input.switches.has('client-secret-stdin')
  if (clientId === undefined) {
    if (wantsSecret) throw new Problem('--client-secret-stdin needs a --client-id.', 2)
    return undefined
  }
  if (clientId === '') throw new Problem('--client-id is empty.', 2)
  const fromInput = wantsSecret ? await readPassword('Client secret: ') : undefined
  if (fromInput === '') throw new Problem('there is no client secret on standard input.', 2)
  const secret = fromInput ?? (named === undefined ? undefined : process.env['MCP_CLIENT_SECRET'])
  return { clientId, ...(secret !== undefined && secret !== '' && { clientSecret: secret }) }
}
