import type { Discovery } from '@warder/client'
import type { OutboundFetch } from '@warder/outbound'

/** A refresh token that nobody ever issued: asking with it changes nothing. */
const neverIssued = 'warder-doctor-is-not-a-refresh-token'

/**
 * Whether an authorization server still knows a public client, by what it complains about first: `invalid_client` (no) or
 * `invalid_grant` (yes: it only misses the token). Anything else says nothing: `unauthorized_client` is also said to a client that
 * is known and may not refresh. Of a client with a secret or a key nothing can be learned this way, since it goes without them here.
 */
export async function isClientAlive(
  clientId: string,
  { metadata, resource }: Discovery,
  outbound: OutboundFetch,
): Promise<boolean | undefined> {
  try {
    const { body } = await outbound(metadata.tokenEndpoint, {
      method: 'POST',
      accept: 'application/json',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: neverIssued,
        client_id: clientId,
        resource,
      }).toString(),
      statuses: 'any',
      maxBytes: 65_536,
      timeoutMs: 10_000,
    })
    return verdicts.get(errorOf(new TextDecoder().decode(body)))
  } catch {
    return undefined
  }
}

const verdicts: ReadonlyMap<unknown, boolean> = new Map([
  ['invalid_client', false],
  ['invalid_grant', true],
])

function errorOf(text: string): unknown {
  const json: unknown = JSON.parse(text)
  return typeof json === 'object' && json !== null && 'error' in json ? json.error : undefined
}
