import { Refusal } from './refusals.ts'

/** The parameters of a form or a query. A parameter without a value is absent (RFC 6749 section 3.1). */
export interface Form {
  /** The value, or undefined; of a repeatable parameter the first. */
  get(name: string): string | undefined
  /** All values, in their order. */
  all(name: string): readonly string[]
  /** Names of the parameters that have a value, in the order of their first appearance. */
  readonly names: readonly string[]
}

const parameterName = /^[A-Za-z0-9._-]+$/
const encodedText = /^(?:[\x21-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})*$/
const maxLength = 65_536

/**
 * The parameters of an `application/x-www-form-urlencoded` body or a query string without its `?`.
 *
 * Names are those of RFC 6749 section 8.2, so `a[]` and `a[$ne]` are refused rather than understood. Broken percent-encoding,
 * invalid UTF-8, NUL, raw non-ASCII, more than `maxParameters` or 65,536 characters throw `parameter.malformed`; a parameter sent
 * twice, whatever its values, throws `parameter.repeated` unless it is among `repeatable`.
 */
export function readForm(body: string, repeatable: readonly string[] = [], maxParameters = 64): Form {
  if (body.length > maxLength) throw malformed('length')
  const pairs = body.split('&').filter((pair) => pair !== '')
  if (pairs.length > maxParameters) throw malformed('number of parameters')
  const values = new Map<string, string[]>()
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = decode(equals === -1 ? pair : pair.slice(0, equals))
    const value = decode(equals === -1 ? '' : pair.slice(equals + 1))
    if (!parameterName.test(name)) throw malformed('name')
    const earlier = values.get(name)
    if (earlier === undefined) values.set(name, value === '' ? [] : [value])
    else if (!repeatable.includes(name))
      throw new Refusal('parameter.repeated', { detail: name.slice(0, 64) })
    else if (value !== '') earlier.push(value)
  }
  return {
    get: (name) => values.get(name)?.[0],
    all: (name) => values.get(name) ?? [],
    names: [...values].filter(([, found]) => found.length > 0).map(([name]) => name),
  }
}

function decode(encoded: string): string {
  if (!encodedText.test(encoded)) throw malformed('encoding')
  let text: string
  try {
    text = decodeURIComponent(encoded.replaceAll('+', ' '))
  } catch (cause) {
    throw new Refusal('parameter.malformed', { detail: 'UTF-8', cause })
  }
  if (text.includes('\0')) throw malformed('NUL')
  return text
}

function malformed(detail: string): Refusal {
  return new Refusal('parameter.malformed', { detail })
}
