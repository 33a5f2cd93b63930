import { isLoopbackHost } from '@warder/protocol'
import { checkAddresses, isLoopbackAddress, isPrivateAddress, isPublicAddress } from './check-address.ts'
import { bareHost, checkPrivateTarget, checkTarget, isInnerName, isLiteral, readTarget } from './check-url.ts'
import { type Resolve, resolveName } from './resolve-name.ts'

/**
 * How far the URLs may lead that a server chose, by where that server itself is. Its user named it, so it is trusted with what
 * stands beside it, and with nothing further in.
 *
 * - `public`: the public Internet, over https.
 * - `private`: also private networks, over https; not this machine.
 * - `loopback`: the public Internet over https, and this machine, over http too and on every port; no private networks.
 *
 * Link-local addresses, metadata services of clouds and multicast are in nobody's reach.
 */
export type Reach = 'public' | 'private' | 'loopback'

/**
 * The reach of a server that the user named. Where its name has no address here (a proxy resolves it), the name decides; where
 * it has addresses of several kinds, the narrowest. A name of the public Internet never reaches this machine, wherever it leads:
 * its owner could have it lead here for the moment of this question. He can in the same way get the reach of a private network,
 * where everything is https with a certificate that fits. Throws `outbound.url` for what is no plain http or https URL.
 */
export async function reachOf(serverUrl: string, resolve: Resolve = resolveName): Promise<Reach> {
  const { hostname } = readTarget(serverUrl)
  const addresses = isLiteral(hostname)
    ? [bareHost(hostname)]
    : await resolve(hostname).then(
        (found) => found.map(({ address }) => address),
        () => [],
      )
  if (addresses.length === 0) return reachOfName(hostname)
  if (addresses.every(isLoopbackAddress)) return isOursToName(hostname) ? 'loopback' : 'public'
  // A name of a company's network often has a public IPv6 address beside its private IPv4 one.
  if (addresses.some(isPrivateAddress) && addresses.every(isPublicOrPrivate)) return 'private'
  return 'public'
}

function reachOfName(name: string): Reach {
  if (isLoopbackHost(name)) return 'loopback'
  return isInnerName(name) ? 'private' : 'public'
}

/** Whether nobody on the Internet can own the name (RFC 6761 reserves `test`). */
const isOursToName = (host: string): boolean => isLiteral(host) || isInnerName(host) || host.endsWith('.test')

const isPublicOrPrivate = (address: string): boolean => isPublicAddress(address) || isPrivateAddress(address)

/** The rules of one reach: for a URL before anything is resolved, and for the addresses of its host. Both throw. */
interface ReachRules {
  checkUrl(url: URL): void
  checkFound(url: URL, addresses: readonly string[]): void
}

export const reaches: Readonly<Record<Reach, ReachRules>> = {
  public: {
    checkUrl: checkTarget,
    checkFound: ({ hostname }, addresses) => checkAddresses(hostname, addresses),
  },
  private: {
    checkUrl: checkPrivateTarget,
    checkFound: ({ hostname }, addresses) => checkAddresses(hostname, addresses, isPublicOrPrivate),
  },
  loopback: {
    // A name of this machine may be any name, in the file of hosts: only its addresses tell.
    checkUrl: () => {},
    checkFound(url, addresses) {
      if (isLoopbackHost(url.hostname) || addresses.some(isLoopbackAddress)) {
        checkAddresses(url.hostname, addresses, isLoopbackAddress)
        return
      }
      checkTarget(url)
      checkAddresses(url.hostname, addresses)
    },
  },
}
