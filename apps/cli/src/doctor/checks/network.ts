import { InvalidNetwork, type Network } from '@warder/outbound'
import type { Tell } from '../finding.ts'

/** What the environment says about proxies and certificates. `undefined`: it cannot be used, so nobody can be asked anything. */
export function checkNetwork(read: () => Network, tell: Tell): Network | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof InvalidNetwork)) throw error
    tell({
      group: 'this machine',
      check: 'network settings',
      outcome: 'bad',
      // It names the variable, and no password in it.
      found: error.message,
      fix: 'correct that variable, or unset it; Warder speaks to http and https proxies, not to SOCKS ones',
    })
    return undefined
  }
}
