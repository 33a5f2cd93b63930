import { domainToASCII } from 'node:url'
import { globMatches } from './glob.ts'
import { matchesPath } from './path-pattern.ts'

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
  const host = normalHost(authority, lower)
  return host === undefined ? undefined : { scheme: lower, host, path: rest === '' ? undefined : rest }
}

const ports: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443' }

/** A host as URLs have it, so that it can be compared with theirs; undefined for what no URL can have. */
function normalHost(authority: string, scheme: string): string | undefined {
  const [, name = '', port] = /^(.*?)(?::([\d*]+))?$/s.exec(authority) ?? []
  const host = name.includes('*') ? normalLabels(name) : URL.parse(`http://${name}/`)?.hostname
  if (host === undefined) return undefined
  const bare = host.replace(/\.$/, '')
  return port === undefined || port === ports[scheme] ? bare : `${bare}:${port}`
}

/** With a star, label by label: a label that has both a star and other than ASCII letters covers no host. */
function normalLabels(name: string): string | undefined {
  const labels = name.split(/[.\u3002\uff0e\uff61]/).map((label) => {
    if (/^[!-~]*$/.test(label)) return label.toLowerCase()
    return label.includes('*') ? '' : domainToASCII(label)
  })
  return labels.slice(0, -1).includes('') ? undefined : labels.join('.')
}

/**
 * Whether a pattern covers a URL. Scheme and host are compared without case, a dot at the end of the host
 * does not count, a path is compared with its case, the query only by a pattern that has one.
 *
 * `matchesPath` says how paths are compared.
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
  return pattern.path === undefined || matchesPath(pattern.path, parsed, purpose)
}
