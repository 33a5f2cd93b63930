import { defaultProfile } from './default-profile.ts'

/** What decides where and as whom somebody signs in: of the command line of another command, what `warder login` has to be told too. */
export const loginOptions: readonly string[] = [
  'host',
  'profile',
  'store',
  'scope',
  'client-id',
  'callback-port',
  'resource',
  'metadata-url',
  'workload-token-file',
  'idp',
  'idp-client-id',
  'subject-token-file',
  'subject-token-type',
  'issuer',
  'private-key',
  'key-id',
  'dpop',
]

export const loginSwitches: readonly string[] = [
  'no-resource',
  'device',
  'client-credentials',
  'enterprise',
  'exchange',
]

interface Given {
  readonly options: Readonly<Record<string, string | undefined>>
  readonly switches?: ReadonlySet<string>
}

/** A command that signs in at a server as another command was told to: for a line that a person or a program copies into a shell. */
export function loginCommand(word: string, { options, switches = new Set() }: Given): string {
  const given = loginOptions.flatMap((name) => {
    const value = options[name]
    if (value === undefined || (name === 'profile' && value === defaultProfile)) return []
    return value.startsWith('-') ? [quoted(`--${name}=${value}`)] : [`--${name}`, quoted(value)]
  })
  const switched = loginSwitches.filter((name) => switches.has(name)).map((name) => `--${name}`)
  return ['warder login', quoted(word), ...given, ...switched].join(' ')
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
