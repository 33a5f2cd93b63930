import { lookup as lookupFor } from 'node:dns'
import { lookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { isLoopbackHost } from '@warder/protocol'

export interface ResolvedAddress {
  readonly address: string
}

export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>

// RFC 6761 section 6.3: no name server is asked for a name of this computer. It could lead elsewhere what is sent in the clear.
const ofThisComputer = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
] as const

/** All addresses of a name by the resolver of the system, in its order; for a name of this computer, its own. */
export async function resolveName(hostname: string): Promise<readonly ResolvedAddress[]> {
  return isLoopbackHost(hostname) ? ofThisComputer : await lookup(hostname, { all: true, order: 'verbatim' })
}

/** The same for a socket that is given a name. */
export const lookupName: LookupFunction = (hostname, options, callback) => {
  if (!isLoopbackHost(hostname)) return lookupFor(hostname, options, callback)
  const [first] = ofThisComputer
  process.nextTick(() =>
    options.all === true ? callback(null, [...ofThisComputer]) : callback(null, first.address, first.family),
  )
}
