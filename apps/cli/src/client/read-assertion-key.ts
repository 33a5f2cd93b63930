import { realpathSync } from 'node:fs'
import type { AssertionKey } from '@warder/client'
import { readPrivateFile } from '@warder/private-files'
import { isJsonObject, type JsonObject, messageOf, readStrictText } from '@warder/protocol'
import { Problem } from '../problem.ts'
import type { WayChoice } from './way-choice.ts'

/**
 * The private key of a client, PEM or JWK, where one was chosen. Throws `Problem` for a file that is not there, or that others can
 * read. Whether it is a key shows when it is used. Nothing of it gets into a message.
 */
export function readAssertionKey({
  keyFile,
  keyId,
}: Pick<WayChoice, 'keyFile' | 'keyId'>): AssertionKey | undefined {
  if (keyFile === undefined) return undefined
  const text = load(keyFile)
  if (!text.trimStart().startsWith('{')) return { key: text, kid: keyId }
  const jwk = readJwk(keyFile, text)
  const { kid, alg } = jwk
  return {
    key: jwk as JsonWebKey,
    kid: keyId ?? (typeof kid === 'string' ? kid : undefined),
    alg: typeof alg === 'string' ? alg : undefined,
  }
}

function load(file: string): string {
  try {
    // Platforms show files by links; what counts is who can read what is behind them.
    const text = readPrivateFile(realpathSync(file))
    if (text !== undefined) return text
  } catch (error) {
    if (!isAbsent(error)) throw new Problem(`the private key is not used: ${wordsOf(error)}.`)
  }
  throw new Problem(
    `the private key is gone: there is no file ${file}. Put it back, or name another by: warder login … --private-key FILE`,
  )
}

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

const wordsOf = (error: unknown): string => messageOf(error).replace(/\.$/, '')

function readJwk(file: string, text: string): JsonObject {
  try {
    const value = readStrictText(text)
    if (isJsonObject(value)) return value
  } catch {
    // Not as cause: the words of the reader may hold a piece of the key.
  }
  throw new Problem(`${file} is neither a private key in PEM nor a JWK.`)
}
