import { isIPv6 } from 'node:net'

/**
 * Under which name the failures and requests of a peer are counted: an IPv4 address whole, an IPv6 address by its /64, since
 * whoever has one address there has all of them.
 */
export function readPeerKey(address: string): string {
  return readPrefix(address, 4)
}

/** The same, with an IPv6 address by its /48: as much as one customer of a provider gets, and so 65,536 of the above. */
export function readSiteKey(address: string): string {
  return readPrefix(address, 3)
}

function readPrefix(address: string, length: number): string {
  const bare = address
    .toLowerCase()
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '')
  if (!isIPv6(bare)) return bare
  const [head = '', tail] = bare.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  const groups = [...front, ...zeros, ...back].map((group) => group.replace(/^0+(?=.)/, ''))
  return `${groups.slice(0, length).join(':')}::/${length * 16}`
}
