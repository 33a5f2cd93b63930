import { Refusal } from './refusals.ts'
import { hasDotSegment, isLoopbackHost, splitWebUri } from './web-uri.ts'

declare const redirectUriBrand: unique symbol

/** A redirect URI that the client has registered: the only kind of string that an answer may be sent to. */
export type RedirectUri = string & { readonly [redirectUriBrand]: true }

/**
 * Schemes without a dot that MCP hosts in use register. A list of what is allowed, since blocking bad schemes never ends, and a
 * short one, since what some program does with an address that a stranger chose is up to that program.
 */
export const knownNativeSchemes: readonly string[] = [
  'cursor',
  'vscode',
  'vscode-insiders',
  'vscodium',
  'windsurf',
  'claude',
]

const loopback = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)$/
// Addresses that lead a browser to its own computer as well: the unspecified ones, and IPv4 inside IPv6.
const loopbackTwin = /^(?:0\.0\.0\.0|\[::\]|\[::ffff:(?:7f[0-9a-f]{2}|0):[0-9a-f]{1,4}\])$/i
const nativeUri = /^([A-Za-z][A-Za-z0-9.-]*):(\/(?:[A-Za-z0-9._~!$&'()*+,;=:/?-]|%[0-9A-Fa-f]{2})*)$/
// Begins with a top-level domain: `x-apple.systempreferences` has a dot, but belongs to the system.
const reverseDomain = /^[a-z]{2,}(?:\.[a-z0-9-]+)+$/
const maxLength = 2048

/**
 * A redirect URI as a client may register it (RFC 7591 section 2, OAuth 2.1 section 2.3, MCP ALL-09): https, http on
 * `127.0.0.1`, `[::1]` or `localhost`, a reverse-domain scheme (RFC 8252 section 7.1) or a known native one.
 *
 * No fragment, user info, dot segment or character outside RFC 3986; at most 2,048 characters; else
 * `registration.redirect-uri`. Returns the raw string. Does not check `application_type` and not who owns the host.
 */
export function readRegisteredRedirectUri(raw: unknown): string {
  if (typeof raw !== 'string' || raw.length > maxLength) throw refused('not a short string')
  const web = splitWebUri(raw)
  if (web !== undefined) {
    if (hasDotSegment(web.rest)) throw refused('dot segment')
    if (web.scheme === 'https' || isLoopbackRedirect(raw)) return raw
    throw refused('http beyond loopback')
  }
  const [, scheme = '', rest = ''] = nativeUri.exec(raw) ?? []
  if (!isNativeScheme(scheme.toLowerCase())) throw refused('scheme or form')
  if (hasDotSegment(rest)) throw refused('dot segment')
  return raw
}

function isNativeScheme(scheme: string): boolean {
  return reverseDomain.test(scheme) || knownNativeSchemes.includes(scheme)
}

function refused(detail: string): Refusal {
  return new Refusal('registration.redirect-uri', { detail })
}

/**
 * The redirect URI of a request, if it is one of the registered (OAuth 2.1 section 4.1.1, MCP AS-14): compared as raw strings.
 * For native clients alone, the port of an http loopback URI may differ or be absent (RFC 8252 section 7.3); host, path and
 * query may not. Throws `redirect.unregistered`, and nothing may then be sent to the URI.
 */
export function checkRedirectUri(raw: string, registered: readonly string[], native: boolean): RedirectUri {
  if (registered.includes(raw)) return raw as RedirectUri
  if (native && registered.some((uri) => differsInLoopbackPort(raw, uri))) return raw as RedirectUri
  throw new Refusal('redirect.unregistered')
}

function differsInLoopbackPort(raw: string, registered: string): boolean {
  const asked = splitLoopback(raw)
  const known = splitLoopback(registered)
  return asked !== undefined && known !== undefined && asked.host === known.host && asked.rest === known.rest
}

function splitLoopback(uri: string): { readonly host: string; readonly rest: string } | undefined {
  const [, host, port = '1', rest = ''] = loopback.exec(uri) ?? []
  return host === undefined || Number(port) > 65_535 ? undefined : { host, rest }
}

/** Whether an answer sent there goes to a program on the user's own computer by http: any program there could be listening. */
export function isLoopbackRedirect(uri: string): boolean {
  return splitLoopback(uri) !== undefined
}

/**
 * Where an answer goes: to the host of a website, to a program that listens on the user's own computer, or to whatever program
 * there opens links of a scheme. A certificate for `localhost` proves nobody, so https changes nothing about it.
 */
export type RedirectPlace = 'web' | 'loopback' | 'scheme'

/** The place of a redirect URI, as `readRegisteredRedirectUri` takes it; plain http elsewhere, which it never takes, is no website. */
export function redirectPlace(uri: string): RedirectPlace {
  const web = splitWebUri(uri)
  if (web !== undefined && (isLoopbackHost(web.host) || loopbackTwin.test(web.host))) return 'loopback'
  return web?.scheme.toLowerCase() === 'https' ? 'web' : 'scheme'
}

/** Where an answer goes, for the consent page (MCP AS-27): host and port of a web address, or the scheme of a program. */
export function redirectHost(uri: string): string {
  return splitWebUri(uri)?.authority ?? `${uri.split(':', 1)[0]}:`
}
