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
const maxLength = 2048

/**
 * Cuts an http or https URI by a strict expression; undefined for anything else: fragment, user info, characters outside
 * RFC 3986, more than 2,048 characters, a host that browsers read as another one. What URL parsers repair is what attackers
 * write, so a parser may only refuse here, and its reading is never used.
 */
export function splitWebUri(raw: string): WebUri | undefined {
  if (raw.length > maxLength) return undefined
  const found = webUri.exec(raw)
  if (found === null) return undefined
  const [, scheme = '', authority = '', host = '', rest = ''] = found
  return meansSameHostToBrowsers(raw, host) ? { scheme, authority, host, rest } : undefined
}

/** `https://2130706433/` and `https://127.1/` go to 127.0.0.1, whatever a page says that shows them as they are. */
function meansSameHostToBrowsers(raw: string, host: string): boolean {
  return URL.canParse(raw) && new URL(raw).hostname === host.toLowerCase()
}

/** Whether the path before the query has a `.` or `..` segment, also percent-encoded. */
export function hasDotSegment(rest: string): boolean {
  const path = rest.split('?', 1)[0] ?? ''
  return path.split('/').some((segment) => dotSegment.test(segment))
}
