import {
  type CredentialStore,
  type Discovery,
  readStoredRegistration,
  registrationName,
  type ServerEntry,
} from '@warder/client'
import type { OutboundFetch } from '@warder/outbound'
import { readKeptWay } from '../../client/kept-ways.ts'
import type { Tell } from '../finding.ts'
import { isClientAlive } from '../probe-client.ts'

const group = 'your sign-in'

/** Whether the authorization server still knows the client that signed in, where that can be asked without its secret. */
export async function tellRegistration(
  entry: ServerEntry,
  store: CredentialStore,
  of: { readonly outbound: OutboundFetch; readonly discovery: Discovery | undefined },
  login: string,
  tell: Tell,
): Promise<void> {
  if (of.discovery === undefined || of.discovery.issuer !== entry.issuer) return
  const check = 'client'
  if (!(await isPublic(entry, store))) {
    const found = 'it proves itself with a secret, a key or a token: not tried here'
    tell({ group, check, outcome: 'skipped', found })
    return
  }
  const isAlive = await isClientAlive(entry.clientId, of.discovery, of.outbound)
  tell({
    group,
    check,
    outcome: isAlive === undefined ? 'skipped' : isAlive ? 'good' : 'bad',
    found:
      isAlive === undefined
        ? 'the authorization server does not say whether it still knows this client'
        : isAlive
          ? 'the authorization server knows this client'
          : 'the authorization server has forgotten this client',
    ...(isAlive === false && { fix: `${login} (it registers anew)` }),
  })
}

/** Whether asking without any proof means asking as this client. */
async function isPublic(entry: ServerEntry, store: CredentialStore): Promise<boolean> {
  const { issuer, profile, clientId } = entry
  const way = await readKeptWay(store, entry)
  if (way !== undefined && (way.way !== 'person' || way.keyFile !== undefined)) return false
  const redirectClass = `client ${clientId}`
  const kept = await readStoredRegistration(store, registrationName({ issuer, profile, redirectClass }))
  // A client with a metadata document needs no registration.
  if (kept === undefined) return clientId.startsWith('https://')
  return kept.clientSecret === undefined && kept.authMethod === 'none'
}
