import { type Form, Refusal } from '@warder/protocol'
import type { Store } from '@warder/store'
import { checkKnownClient } from '../clients/resolve-client.ts'
import type { WebRequest } from '../message.ts'

/** A client that may use the token endpoint under its id. All our clients are public: the code or token is what it proves itself with. */
export interface TokenClient {
  readonly id: string
  /** Whether it registered for `refresh_token`; a document client is taken to. */
  readonly mayRefresh: boolean
}

/**
 * The client of a token or revocation request (RFC 6749 section 3.2.1). Any attempt to authenticate is refused, since no
 * client here has anything to authenticate with; an unknown or disabled id throws `client.unknown`.
 */
export async function loadTokenClient(request: WebRequest, form: Form, store: Store): Promise<TokenClient> {
  if (request.headers.has('authorization')) throw new Refusal('client.authentication', { detail: 'header' })
  for (const name of ['client_secret', 'client_assertion', 'client_assertion_type']) {
    if (form.get(name) !== undefined) throw new Refusal('client.authentication', { detail: name })
  }
  const id = form.get('client_id')
  if (id === undefined) throw new Refusal('parameter.missing', { detail: 'client_id' })
  const { metadata } = await checkKnownClient(store, id)
  return { id, mayRefresh: metadata?.grantTypes.includes('refresh_token') ?? true }
}
