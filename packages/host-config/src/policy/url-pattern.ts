import { domainToASCII } from 'node:url'
import { globMatches } from './glob.ts'

/**
 * A `serverUrl` of a managed list, cut into the parts that are compared apart: a star never reaches over a
 * border.
 */
export interface UrlPattern {
  readonly scheme: string
  /** With its port, lower case, without the dot at the end. */
  readonly host: string
  /** Undefined: any path. */
  readonly path: string | undefined
}

/** Reads a pattern; undefined when it is none. `*` alone covers every URL. */
export function readUrlPattern(text: string): UrlPattern | undefined {
  if (text === '*') return { scheme: '*', host: '*', path: undefined }
  const [, scheme, authority, rest] = /^([^:/?#\s]+):\/\/([^/?#\s]+)(.*)$/s.exec(text) ?? []
  if (scheme === undefined || authority === undefined || rest === undefined) return undefined
  if (authority.includes('@') || authority.includes('\\')) return undefined
  const lower = scheme.toLowerCase()
  return { scheme: lower, host: normalHost(authority, lower), path: rest === '' ? undefined : rest }
}

const ports: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443' }

function normalHost(authority: string, scheme: string): string {
  const [, name = '', port] = /^(.*?)(?::([\d*]+))?$/s.exec(authority) ?? []
  const bare = name.toLowerCase().replace(/\.$/, '')
  const host = bare.includes('*') || bare.startsWith('[') ? bare : domainToASCII(bare) || bare
  return port === undefined || port === ports[scheme] ? host : `${host}:${port}`
}

/**
 * Whether a pattern covers a URL. Scheme and host are compared without case, a dot at the end of the host
 * does not count, a path is compared with its case, the query only by a pattern that has one.
 *
 * A path may be written in several ways (`%6d` for `m`). To deny, one way that matches is enough; to allow,
 * all must.
 */
export function matchesUrl(pattern: UrlPattern, url: string, purpose: 'allow' | 'deny'): boolean {
  const parsed = URL.parse(url)
  if (parsed === null) return false
  const scheme = parsed.protocol.slice(0, -1)
  const name = parsed.hostname.replace(/\.$/, '')
  const host = parsed.port === '' ? name : `${name}:${parsed.port}`
  if (!globMatches(pattern.scheme, scheme)) return false
  // A pattern whose scheme is a star cannot know which port is the usual one.
  const usual = ports[scheme]
  const hosts = parsed.port === '' && usual !== undefined ? [host, `${host}:${usual}`] : [host]
  if (!hosts.some((way) => globMatches(pattern.host, way))) return false
  const { path } = pattern
  if (path === undefined) return true
  const query = path.includes('?') ? parsed.search : ''
  const ways = spellings(parsed.pathname).map((way) => way + query)
  return purpose === 'deny'
    ? ways.some((way) => globMatches(path, way))
    : ways.every((way) => globMatches(path, way))
}

/** A path as it stands, and as a server may read it that decodes it first. */
function spellings(path: string): readonly string[] {
  const ways = [path]
  let last = path
  for (let round = 0; round < 3; round++) {
    const decoded = decodeOnce(last)
    if (decoded === undefined || decoded === last) break
    // The decoded text may hold steps upwards that were hidden before.
    ways.push(decoded, new URL(`http://host${decoded.replace(/[?#]/g, encodeURIComponent)}`).pathname)
    last = decoded
  }
  return [...new Set(ways)]
}

function decodeOnce(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
