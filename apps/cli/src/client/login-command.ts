import { quoted } from '../quoted.ts'
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
export function loginCommand(word: string, given: Given): string {
  const switched = loginSwitches.filter((name) => given.switches?.has(name)).map((name) => `--${name}`)
  return ['warder login', quoted(word), ...optionWords(loginOptions, given), ...switched].join(' ')
}

/** A command that shows the token which another command found. */
export function explainCommand(word: string, given: Given): string {
  return ['warder token explain', quoted(word), ...optionWords(['host', 'profile', 'store'], given)].join(' ')
}

function optionWords(names: readonly string[], { options }: Given): readonly string[] {
  return names.flatMap((name) => {
    const value = options[name]
    if (value === undefined || (name === 'profile' && value === defaultProfile)) return []
    return value.startsWith('-') ? [quoted(`--${name}=${value}`)] : [`--${name}`, quoted(value)]
  })
}
