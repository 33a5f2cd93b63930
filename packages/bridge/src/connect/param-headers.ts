import { isJsonObject, type JsonObject, ownValue } from '@warder/protocol'

/** One parameter of a tool that goes along as a header (SEP-2243). */
export interface ParamHeader {
  /** The name behind `Mcp-Param-`. */
  readonly name: string
  /** Where its value stands in the arguments. */
  readonly path: readonly string[]
}

export type ParamHeaders =
  | { readonly valid: true; readonly headers: readonly ParamHeader[] }
  | { readonly valid: false; readonly reason: string }

const annotation = 'x-mcp-header'
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const carried: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean'])

/**
 * Reads the `x-mcp-header` annotations of a tool's input schema. One that is empty, no token, named twice (ignoring case), on anything
 * but a string, integer or boolean, or not reachable by `properties` alone makes the whole tool invalid (GW-39, Q25).
 */
export function readParamHeaders(inputSchema: unknown): ParamHeaders {
  const headers: ParamHeader[] = []
  const names = new Set<string>()

  const readAnnotation = (
    schema: JsonObject,
    path: readonly string[],
    reachable: boolean,
  ): string | undefined => {
    const name = schema[annotation]
    if (!reachable || path.length === 0) return 'it is not reachable by properties alone'
    if (typeof name !== 'string' || !token.test(name)) return 'it is no header name'
    if (!carried.has(ownValue(schema, 'type'))) return 'only strings, integers and booleans go into headers'
    if (names.has(name.toLowerCase())) return `${name} stands twice`
    names.add(name.toLowerCase())
    headers.push({ name, path })
    return undefined
  }
  const visit = (schema: unknown, path: readonly string[], reachable: boolean): string | undefined => {
    if (Array.isArray(schema)) return visitAll(schema, path)
    if (!isJsonObject(schema)) return undefined
    if (Object.hasOwn(schema, annotation)) {
      const fault = readAnnotation(schema, path, reachable)
      if (fault !== undefined) return fault
    }
    for (const [key, value] of Object.entries(schema)) {
      const fault = key === 'properties' ? visitMembers(value, path, reachable) : visitOther(key, value, path)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  const visitAll = (schemas: readonly unknown[], path: readonly string[]): string | undefined => {
    for (const schema of schemas) {
      const fault = visit(schema, path, false)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  const visitMembers = (
    members: unknown,
    path: readonly string[],
    reachable: boolean,
  ): string | undefined => {
    if (!isJsonObject(members)) return undefined
    for (const [key, schema] of Object.entries(members)) {
      const fault = visit(schema, [...path, key], reachable)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  // Values that are data and no schemas may hold anything.
  const visitOther = (key: string, value: unknown, path: readonly string[]): string | undefined =>
    data.has(key)
      ? undefined
      : namedSchemas.has(key)
        ? visitMembers(value, path, false)
        : visit(value, path, false)

  const fault = visit(inputSchema, [], true)
  return fault === undefined ? { valid: true, headers } : { valid: false, reason: `x-mcp-header: ${fault}` }
}

const data: ReadonlySet<string> = new Set(['default', 'const', 'enum', 'examples', annotation])
const namedSchemas: ReadonlySet<string> = new Set([
  'patternProperties',
  'dependentSchemas',
  '$defs',
  'definitions',
])

/** The `Mcp-Param-*` headers of one call. What is absent, null or not of a simple type has none. */
export function makeParamHeaders(headers: readonly ParamHeader[], args: unknown): Record<string, string> {
  const made: Record<string, string> = {}
  for (const { name, path } of headers) {
    let value: unknown = args
    for (const key of path) value = isJsonObject(value) ? ownValue(value, key) : undefined
    const isSimple =
      typeof value === 'string' ||
      typeof value === 'boolean' ||
      (typeof value === 'number' && Number.isSafeInteger(value))
    if (isSimple) made[`mcp-param-${name.toLowerCase()}`] = encodeHeader(String(value))
  }
  return made
}

const plain = /^[\t\x20-\x7e]+$/
const sentinel = /^=\?base64\?.*\?=$/s

/** A value as a header can carry it: as it is, or as `=?base64?…?=` (GW-27). */
export function encodeHeader(value: string): string {
  const isPlain = plain.test(value) && !/^[\t ]|[\t ]$/.test(value) && !sentinel.test(value)
  return isPlain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`
}
