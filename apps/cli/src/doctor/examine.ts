import type { CredentialStore } from '@warder/client'
import { createOutbound, createUserFetch, type Network, reachOf } from '@warder/outbound'
import { checkDiscovery } from './checks/discovery.ts'
import { checkFiveThings } from './checks/five-things.ts'
import { checkNetwork } from './checks/network.ts'
import { checkPort } from './checks/port.ts'
import { checkStore } from './checks/store.ts'
import { checkThisMachine } from './checks/this-machine.ts'
import { checkWayThere } from './checks/way-there.ts'
import { checkSignIn } from './checks/your-sign-in.ts'
import type { Tell } from './finding.ts'

/** What is looked at. */
export interface Examination {
  readonly server: string
  readonly profile: string
  /** The commands that sign in there, and that show the token: what the findings say to do. */
  readonly login: string
  readonly explain: string
  /** Throws `InvalidNetwork`. */
  readonly readNetwork: () => Network
  readonly metadataUrl?: string | undefined
  readonly callbackPort?: number | undefined
  openStore(): Promise<CredentialStore>
}

/**
 * Looks at everything between this machine and a server, from the inside out; each step uses what the one before it found.
 * It changes nothing anywhere: no registration, no sign-in, no refresh.
 */
export async function examine(of: Examination, tell: Tell): Promise<void> {
  const { server, metadataUrl } = of
  const network = checkNetwork(of.readNetwork, tell)
  if (network !== undefined) checkThisMachine(server, network, tell)
  await checkPort(of.callbackPort, tell)
  const store = await checkStore(of.openStore, tell)
  if (network === undefined) return
  const fetch = createUserFetch(network)
  const door = await checkWayThere(server, fetch, tell)
  if (door === undefined) return
  const outbound = createOutbound({ network, reach: await reachOf(server) })
  const discovery = await checkDiscovery(server, { outbound, metadataUrl }, door, tell)
  await checkFiveThings(server, fetch, door, discovery, tell)
  if (store !== undefined) await checkSignIn(of, store, { fetch, outbound, discovery }, tell)
}
