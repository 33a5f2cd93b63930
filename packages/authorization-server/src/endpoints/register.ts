import { describeClient, Refusal, readRegistration } from '@warder/protocol'
import { jsonResponse } from '../json-response.ts'
import { readJsonBody } from '../read-body.ts'
import type { Endpoint } from '../services.ts'
import { makeId } from '../tokens/secret.ts'

/**
 * Dynamic client registration (RFC 7591 section 3). Open, so a registered client is known but not vouched for; limited by the
 * peer's address. No secret and no registration access token are given out, and no initial access token is taken: whoever sends
 * one believes to be somebody here.
 */
export const register: Endpoint = async (request, { peer }, { store, now, takeRegistration }) => {
  if (request.headers.has('authorization')) throw new Refusal('registration.token')
  takeRegistration(peer.address)
  const metadata = readRegistration(await readJsonBody(request))
  const id = makeId('wcl_')
  await store.clients.add({ id, kind: 'self-registered', metadata: JSON.stringify(metadata), now: now() })
  return jsonResponse(
    { client_id: id, client_id_issued_at: Math.floor(now() / 1000), ...describeClient(metadata) },
    201,
  )
}
