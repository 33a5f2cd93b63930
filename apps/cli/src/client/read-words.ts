import { isHeaderName, isHeaderValue, readPieces } from '@warder/host-config/words'
import { isScopeToken } from '@warder/protocol'
import { Problem } from '../problem.ts'

/** A port at which the answer of a sign-in can be received, wherever it was named. Throws `Problem`. */
export function readPort(text: string, where: string): number {
  const port = Number(text)
  if (/^[0-9]{1,5}$/.test(text) && port >= 1024 && port <= 65_535) return port
  throw new Problem(`${where} is a number from 1024 to 65535.`, 2)
}

/** `Name: value`; the value may have variables. What is wrong is told without either: somebody may have left the name out. */
export function readHeader(text: string, where = '--header'): readonly [string, string] {
  const colon = text.indexOf(':')
  const [name, value] = [text.slice(0, Math.max(colon, 0)).trim(), text.slice(colon + 1).trim()]
  if (isHeaderName(name) && isHeaderValue(value)) return [name, value]
  throw new Problem(`${where} takes a name and a value: "X-Team: blue"`, 2)
}

/** Scopes with blanks between them, each once. A comma is legal in a scope, and more often a mistake. Throws `Problem`. */
export function readScopeWords(texts: readonly string[], where: string): readonly string[] {
  const scopes = texts.flatMap((text) => text.split(' ')).filter((scope) => scope !== '')
  const isOne = (scope: string): boolean => isScopeToken(scope) && !scope.includes(',')
  if (scopes.length > 0 && scopes.every(isOne)) return [...new Set(scopes)]
  throw new Problem(
    `${where} is one or more scopes with a blank between them, without quotes or commas: ${where} "notes:read notes:write".`,
    2,
  )
}

/**
 * Puts `${VAR}` and `${VAR:-default}` in, once, as they are found in lists of servers. Throws `Problem` for one that is not set or
 * is empty: it may be the credential.
 */
export function putVariablesIn(text: string, where: string, env: NodeJS.ProcessEnv = process.env): string {
  const parts = readPieces(text, 'shell').map((piece) => {
    if (piece.kind !== 'variable') return piece.text
    const value = (Object.hasOwn(env, piece.name) && env[piece.name]) || piece.fallback
    if (value !== undefined) return value
    throw new Problem(`${where} uses the environment variable ${piece.name}, which is not set.`, 2)
  })
  return parts.join('')
}
