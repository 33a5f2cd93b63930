import type { ExpansionStyle } from '../expand.ts'
import type { ServerConfig, Texts } from '../server-config.ts'
import { makeSays } from './literal-of.ts'
import { looksSecret } from './looks-secret.ts'
import { hasSecretInUrl } from './secret-in-url.ts'
import { isSecretReference } from './secret-reference.ts'
import { findInScript, findSecretsInWord, type Span } from './secrets-in-word.ts'

/** What may be written of a server. */
export type WritableServer = Pick<
  ServerConfig,
  | 'name'
  | 'transport'
  | 'url'
  | 'headers'
  | 'headersFromEnv'
  | 'headersHelper'
  | 'oauth'
  | 'command'
  | 'args'
  | 'env'
  | 'timeoutMs'
  | 'tools'
  | 'isDisabled'
>

/**
 * Where in an entry a literal value looks like a secret; in words, without the value. Nothing of that may be
 * written to a file.
 */
export function findSecrets(server: WritableServer, style: ExpansionStyle): readonly string[] {
  const says = makeSays(style)
  const isSecretWord = (word: string): boolean => findSecretsInWord(word, undefined, says).length > 0
  const inTable = (texts: Texts = {}): readonly string[] =>
    Object.entries(texts).flatMap(([name, value]) => {
      const said = isSecretReference(value) ? undefined : says(value)
      return said !== undefined && (looksSecret(name, said) || isSecretWord(value)) ? [name] : []
    })
  const isSecretUrl = (url: string | undefined): boolean => hasSecretInUrl(says(url ?? '') ?? '')
  const { args = [], command = '', headersHelper = [] } = server
  const helper =
    typeof headersHelper === 'string'
      ? findInScript(headersHelper, says)
      : findSecretsInWords(headersHelper, style).flat()
  return [
    ...inTable(server.headers).map((name) => `the header ${name}`),
    ...inTable(server.env).map((name) => `the variable ${name}`),
    // A path may have the look of a token; a whole command line in this field is what may hold one.
    ...(/[\s=]|:\/\//.test(command) && isSecretWord(command) ? ['the command'] : []),
    ...findSecretsInWords(args, style).flatMap((found, at) =>
      found.length > 0 ? [`argument ${at + 1}`] : [],
    ),
    ...(isSecretUrl(server.url) ? ['the URL'] : []),
    ...(isSecretUrl(server.oauth?.metadataUrl) ? ['the URL of the metadata'] : []),
    ...(helper.length > 0 ? ['the headers helper'] : []),
  ]
}

/** The parts of the words of a command that look like secrets, word by word. */
export function findSecretsInWords(
  words: readonly string[],
  style: ExpansionStyle,
): readonly (readonly Span[])[] {
  const says = makeSays(style)
  return words.map((word, at) => findSecretsInWord(word, words[at - 1], says))
}
