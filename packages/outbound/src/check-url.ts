import { isIP } from 'node:net'
import { isLoopbackHost, Refusal } from '@warder/protocol'

/** Top-level names that lead inside: RFC 6761, 6762 (with appendix G), 8375 and the names of cloud metadata services. */
const innerNames: ReadonlySet<string> = new Set([
  'corp',
  'home',
  'home.arpa',
  'internal',
  'intranet',
  'lan',
  'local',
  'localdomain',
  'localhost',
  'private',
])

/**
 * Ports from 1024 on where something other than a web server usually listens: databases, caches, queues, container and
 * cluster control, remote desktops, telephony. Below 1024 only 443 is allowed; 8443 is above and not in this list.
 */
const servicePorts: ReadonlySet<number> = new Set([
  1433, 1521, 1719, 1720, 1723, 2049, 2181, 2375, 2376, 2379, 2380, 3268, 3269, 3306, 3389, 3659, 4045, 4369,
  5000, 5060, 5061, 5432, 5672, 5900, 5901, 5984, 5985, 5986, 6000, 6379, 6380, 6443, 6566, 6665, 6666, 6667,
  6668, 6669, 6697, 7000, 7001, 7199, 7474, 7687, 8086, 8091, 8125, 8200, 8300, 8301, 8500, 8600, 9000, 9042,
  9092, 9160, 9200, 9300, 10080, 10250, 10255, 11211, 15672, 26379, 27017, 27018, 27019, 28015,
])

const refuse = (detail: string): never => {
  throw new Refusal('outbound.url', { detail })
}

/**
 * Reads the URL of an outbound fetch, if it is written the one plain way: visible ASCII, at most 2,048 characters, https or
 * http, no user information, no fragment, and a host that the URL parser leaves as it is. So what was checked is what will
 * be connected to, and `http://0x7f.1/`, `https://[::ffff:127.0.0.1]/` or `https://a\@b/` never get further (E11).
 *
 * Throws `outbound.url`. Does not check where it leads: that is `checkTarget` and `checkAddresses`.
 */
export function readTarget(raw: string): URL {
  if (raw.length > 2048) return refuse('longer than 2,048 characters')
  if (!/^[\x21-\x7e]+$/.test(raw)) return refuse('not visible ASCII')
  const authority = /^https?:\/\/([^/?#\\]*)/.exec(raw)?.[1]
  if (authority === undefined || !URL.canParse(raw)) return refuse('no http or https URL')
  if (/[\\#]/.test(raw)) return refuse('a backslash or a fragment')
  const url = new URL(raw)
  const host = authority.replace(/:[0-9]+$/, '')
  // Before the host is named: it would have the password in it.
  if (authority.includes('@')) return refuse('user information')
  if (host.toLowerCase() !== url.hostname) return refuse(`host ${host} is not plain`)
  return url
}

/** Throws `outbound.url` or `outbound.address` unless the URL is https, on a port for the web, and no name that leads inside. */
export function checkTarget(url: URL): void {
  checkScheme(url)
  const name = url.hostname
  if (!isLiteral(name) && isInnerName(name)) {
    throw new Refusal('outbound.address', { detail: `${name} is not a name of the public Internet` })
  }
}

/** The same for a URL that may lead into a private network, by whatever name; not to this machine or a metadata service. */
export function checkPrivateTarget(url: URL): void {
  checkScheme(url)
  const name = url.hostname
  if (isLoopbackHost(name) || metadataNames.has(name) || name.split('.').includes('')) {
    throw new Refusal('outbound.address', { detail: `${name} is not a name of a private network` })
  }
}

function checkScheme(url: URL): void {
  if (url.protocol !== 'https:') refuse('not https')
  const port = url.port === '' ? 443 : Number(url.port)
  if (port !== 443 && (port < 1024 || servicePorts.has(port))) refuse(`port ${port}`)
}

/** Names of metadata services that a proxy would resolve for us: their addresses are refused, but here nobody sees them. */
const metadataNames: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.tencentyun.com',
  'metadata.platformequinix.com',
])

/** Whether a name cannot be one of the public Internet. */
export function isInnerName(name: string): boolean {
  const labels = name.split('.')
  const isInner = innerNames.has(labels.slice(-1).join('.')) || innerNames.has(labels.slice(-2).join('.'))
  return isInner || labels.length === 1 || labels.includes('')
}

/** Whether the host of a parsed URL is an IP address. */
export function isLiteral(hostname: string): boolean {
  return isIP(bareHost(hostname)) !== 0
}

/** The host of a parsed URL without the brackets of IPv6. */
export function bareHost(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}
