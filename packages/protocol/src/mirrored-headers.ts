import { readBase64 } from './base64.ts'
import type { McpMessage } from './mcp-message.ts'
import { knownMethods } from './mcp-methods.ts'
import { CLIENT_CAPABILITIES_META_KEY } from './meta-keys.ts'
import { checkProtocolVersion, isStatelessVersion, messageEra } from './protocol-version.ts'
import { Refusal } from './refusals.ts'
import { isJsonObject, ownValue } from './strict-json.ts'

/** The headers that repeat parts of the body, each with all its raw values: a header sent twice has two. */
export interface MirroredHeaders {
  /** `MCP-Protocol-Version` */
  readonly version?: readonly string[]
  /** `Mcp-Method` */
  readonly method?: readonly string[]
  /** `Mcp-Name` */
  readonly name?: readonly string[]
  /** `Mcp-Param-*` by lower-case name behind the prefix. */
  readonly params: ReadonlyMap<string, readonly string[]>
}

/**
 * Compares the mirrored headers with the body (MCP streamable HTTP, server validation; GW-21, GW-29, GW-34).
 *
 * What is present must agree, whatever version was claimed; in requests of 2026-07-28 all must be present. A difference, a header
 * sent twice, characters outside ASCII or a broken base64 sentinel throw `message.header-mismatch`; a revision that Warder does
 * not understand `message.version`; a body without the `_meta` that its header promises `message.params`; a response under
 * 2026-07-28 `message.shape`. `Mcp-Param-*` is only checked to be readable: what it must equal stands in the tool's schema.
 */
export function checkMirroredHeaders(message: McpMessage, headers: MirroredHeaders): void {
  checkVersionHeader(message, readHeader(headers.version))
  checkMethodHeader(message, readHeader(headers.method))
  checkNameHeader(message, readHeader(headers.name))
  for (const values of headers.params.values()) readEncodedHeader(readHeader(values))
}

function checkVersionHeader(message: McpMessage, header: string | undefined): void {
  if (message.version !== undefined) {
    if (header !== undefined && header !== message.version) throw mismatch('version')
    checkProtocolVersion(message.version, 'meta')
    if (message.kind !== 'request' || messageEra(message) === 'session') return
    if (header === undefined) throw mismatch('version missing')
    checkRequestMeta(message)
    return
  }
  if (header === undefined) return
  checkProtocolVersion(header, 'header')
  if (!isStatelessVersion(header)) return
  if (message.kind === 'response') throw new Refusal('message.shape', { detail: 'response under 2026-07-28' })
  // A handshake under the header of a revision without handshakes is a contradiction, and answered as clients expect it.
  if (message.method === 'initialize') throw mismatch('initialize under 2026-07-28')
  if (message.kind === 'request') throw new Refusal('message.params', { detail: '_meta without version' })
}

/** GW-50, GW-51: without its capabilities a stateless request cannot be served. */
function checkRequestMeta(message: McpMessage): void {
  const meta = ownValue(message.params ?? {}, '_meta')
  const capabilities = isJsonObject(meta) ? ownValue(meta, CLIENT_CAPABILITIES_META_KEY) : undefined
  if (!isJsonObject(capabilities)) throw new Refusal('message.params', { detail: 'clientCapabilities' })
}

function checkMethodHeader(message: McpMessage, header: string | undefined): void {
  if (header !== undefined) {
    if (header !== message.method) throw mismatch('method')
  } else if (message.kind === 'request' && messageEra(message) === 'stateless') {
    throw mismatch('method missing')
  }
}

function checkNameHeader(message: McpMessage, header: string | undefined): void {
  const rule = knownMethods.get(message.method ?? '')
  // What a method that we do not know mirrors is not known either; `readCall` refuses it by its own name.
  if (message.method !== undefined && rule === undefined) return
  const body = rule?.target && ownValue(message.params ?? {}, rule.target)
  if (header !== undefined) {
    if (readEncodedHeader(header) !== body) throw mismatch('name')
  } else if (rule?.mirrored === true && body !== undefined && messageEra(message) === 'stateless') {
    throw mismatch('name missing')
  }
}

/** The one value of a header without outer whitespace; undefined when it was not sent. */
function readHeader(values: readonly string[] | undefined): string | undefined {
  if (values === undefined || values.length === 0) return undefined
  const [value = ''] = values
  if (values.length > 1) throw mismatch('sent twice')
  const trimmed = trimOuterWhitespace(value)
  if (!/^[\t\x20-\x7e]*$/.test(trimmed)) throw mismatch('characters')
  return trimmed
}

/** By hand: `trim` takes too much, and a regular expression takes quadratic time on long runs of spaces. */
function trimOuterWhitespace(value: string): string {
  let start = 0
  let end = value.length
  while (value[start] === ' ' || value[start] === '\t') start += 1
  while (value[end - 1] === ' ' || value[end - 1] === '\t') end -= 1
  return value.slice(start, end)
}

/** Decodes the sentinel `=?base64?…?=` once (GW-27, GW-28); any other spelling of it is a plain value. */
function readEncodedHeader(value: string | undefined): string | undefined {
  const encoded = /^=\?base64\?(.*)\?=$/.exec(value ?? '')?.[1]
  if (encoded === undefined) return value
  const bytes = readBase64(encoded)
  if (bytes === undefined) throw mismatch('base64')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new Refusal('message.header-mismatch', { detail: 'UTF-8', cause })
  }
}

function mismatch(detail: string): Refusal {
  return new Refusal('message.header-mismatch', { detail })
}
