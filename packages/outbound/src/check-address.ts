import { isIP } from 'node:net'
import { isLoopbackHost, Refusal } from '@warder/protocol'
import ipaddr from 'ipaddr.js'

// RFC 6890 and the IANA special-purpose registry; beyond that the metadata service of Azure, which has a public address.
const specialIPv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map((range) => ipaddr.IPv4.parseCIDR(range))

// Global unicast is 2000::/3 and nothing else, which leaves out mapped and compatible addresses, NAT64, unique local, link and
// site local and multicast. Inside it, what carries an IPv4 address or is no place on the Internet.
const globalIPv6 = ipaddr.IPv6.parseCIDR('2000::/3')
const specialIPv6 = [
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '2620:4f:8000::/48',
  '3ffe::/16',
  '3fff::/20',
].map((range) => ipaddr.IPv6.parseCIDR(range))

/**
 * Whether an IP address in its usual spelling, without brackets and zone, is a public unicast address. False for whatever is
 * not an address, and for IPv6 that carries an IPv4 address inside (mapped, NAT64, 6to4, Teredo, ISATAP), whatever it carries.
 */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return false
  if (version === 4) {
    const parsed = ipaddr.IPv4.parse(address)
    return !specialIPv4.some((range) => parsed.match(range))
  }
  const parsed = ipaddr.IPv6.parse(address)
  if (!parsed.match(globalIPv6) || specialIPv6.some((range) => parsed.match(range))) return false
  // ISATAP, RFC 5214 section 6.1: interface identifiers ::0:5efe:a.b.c.d and ::200:5efe:a.b.c.d under any prefix.
  const [, , , , high = 0, low = 0] = parsed.parts
  return !((high & 0xfdff) === 0 && low === 0x5efe)
}

// RFC 1918, RFC 4193 and the shared space of RFC 6598, which private overlay networks use; without the metadata services that
// clouds have put in there: whoever reaches those gets the credentials of the machine.
const privateIPv4 = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'].map((range) =>
  ipaddr.IPv4.parseCIDR(range),
)
const privateIPv6 = ipaddr.IPv6.parseCIDR('fc00::/7')
const metadataIPv4 = ipaddr.IPv4.parseCIDR('100.100.100.200/32')
const metadataIPv6 = ['fd00:ec2::/32', 'fd20:ce::/32'].map((range) => ipaddr.IPv6.parseCIDR(range))

/** Whether it is an address of a private network, in its usual spelling; never one of a metadata service. */
export function isPrivateAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return false
  if (version === 4) {
    const parsed = ipaddr.IPv4.parse(address)
    return privateIPv4.some((range) => parsed.match(range)) && !parsed.match(metadataIPv4)
  }
  const parsed = ipaddr.IPv6.parse(address)
  return parsed.match(privateIPv6) && !metadataIPv6.some((range) => parsed.match(range))
}

/** Whether it is this machine: 127.0.0.0/8 or ::1, and no other spelling of them. */
export function isLoopbackAddress(address: string): boolean {
  return isIP(address) !== 0 && isLoopbackHost(address)
}

/** Throws `outbound.address` unless every one of the addresses may be: a mixed answer is an attack (E13). */
export function checkAddresses(
  hostname: string,
  addresses: readonly string[],
  mayBe: (address: string) => boolean = isPublicAddress,
): void {
  const wrong = addresses.find((address) => !mayBe(address))
  if (wrong !== undefined) throw new Refusal('outbound.address', { detail: `${hostname} is at ${wrong}` })
}
