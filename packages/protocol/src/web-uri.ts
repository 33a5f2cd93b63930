/** An http or https URI, cut where it stands and never normalized: the parts put together are the raw string. */
export interface WebUri {
  readonly scheme: string
  /** Host and port, without user info. */
  readonly authority: string
  /** Host alone; IPv6 addresses keep their brackets. */
  readonly host: string
  /** Path and query: empty, or beginning with `/` or `?`. */
  readonly rest: string
}

// Only what RFC 3986 allows, so that no reader can take `\`, a tab or a stray `@` for the end of the host.
const webUri =
  /^(https?):\/\/((\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)(?::[1-9][0-9]{0,4})?)((?:[/?](?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?)$/i
const dotSegment = /^(?:\.|%2e){1,2}$/i

/**
 * Cuts an http or https URI by a strict expression; undefined for anything else: fragment, user info, characters outside
 * RFC 3986, more than `maxLength` characters, a host that browsers read as another one. What URL parsers repair is what attackers
 * write, so a parser may only refuse here, and its reading is never used.
 */
export function splitWebUri(raw: string, maxLength = 2048): WebUri | undefined {
  if (raw.length > maxLength) return undefined
  const found = webUri.exec(raw)
  if (found === null) return undefined
  const [, scheme = '', authority = '', host = '', rest = ''] = found
  return meansSameHostToBrowsers(raw, host) ? { scheme, authority, host, rest } : undefined
}

/** `https://2130706433/` and `https://127.1/` go to 127.0.0.1, whatever a page says that shows them as they are. */
function meansSameHostToBrowsers(raw: string, host: string): boolean {
  return URL.parse(raw)?.hostname === host.toLowerCase()
}

const loopbackAddress = /^(?:127(?:\.(?:[0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])){3}|::1|\[::1\])$/

/**
 * Whether a host is this computer, as it is written: `localhost` and the names below it (RFC 6761 section 6.3), 127.0.0.0/8 and
 * ::1, with or without brackets. No other spelling of an address counts.
 *
 * What is sent there in the clear must not be led elsewhere by a name server: `@warder/outbound` asks none for these names, and
 * neither do browsers. Which port a redirect URI may have there is a narrower rule of its own.
 */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase()
  return name === 'localhost' || name.endsWith('.localhost') || loopbackAddress.test(name)
}

/** Whether the path before the query has a `.` or `..` segment, also percent-encoded. */
export function hasDotSegment(rest: string): boolean {
  const path = rest.split('?', 1)[0] ?? ''
  return path.split('/').some((segment) => dotSegment.test(segment))
}
