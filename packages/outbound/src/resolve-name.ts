import { lookup } from 'node:dns/promises'

export interface ResolvedAddress {
  readonly address: string
}

export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>

/** All addresses of a name by the resolver of the system, in its order. */
export async function resolveName(hostname: string): Promise<readonly ResolvedAddress[]> {
  return await lookup(hostname, { all: true, order: 'verbatim' })
}
