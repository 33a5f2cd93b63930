import { Refusal } from '@warder/protocol'

/** Why nothing answers, and what to do about it. */
export interface Explanation {
  readonly found: string
  readonly fix: string
}

const ownAuthority =
  'if your network has a certificate authority of its own, add it to the system, or name its file in NODE_EXTRA_CA_CERTS'

/** By the code of the error, most telling first. */
const explanations: readonly (readonly [RegExp, string, string])[] = [
  [
    /ENOTFOUND|EAI_AGAIN|has no address/,
    'the name cannot be resolved',
    'check the spelling, the network and the VPN',
  ],
  [/ECONNREFUSED/, 'nothing listens there', 'start the server, or check the port'],
  [/EHOSTUNREACH|ENETUNREACH/, 'there is no way to that network', 'check the network and the VPN'],
  [
    /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|DEPTH_ZERO/,
    'its certificate is signed by nobody whom this machine trusts',
    ownAuthority,
  ],
  [
    /CERT_HAS_EXPIRED/,
    'its certificate has expired',
    'renew it; if it is new, check the clock of this machine',
  ],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID/,
    'its certificate is for another name',
    'use the name that is in the certificate',
  ],
  [
    /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|EPROTO/,
    'the TLS handshake failed',
    'if it wants a client certificate, name yours in WARDER_CLIENT_CERT and WARDER_CLIENT_KEY; if it speaks plain http, say http://',
  ],
  [
    /407|proxy/i,
    'the proxy refuses',
    'put user and password of the proxy into HTTPS_PROXY, or the host into NO_PROXY',
  ],
  [
    /ECONNRESET|UND_ERR_SOCKET|EPIPE/,
    'the connection was cut',
    'try again; a firewall or a proxy may be in between',
  ],
  [
    /TIMEOUT|timeout|AbortError|TimeoutError/,
    'no answer within 15 seconds',
    'check the network; behind a company proxy set HTTPS_PROXY',
  ],
]

/** Says in words why a request failed; the server's own words are never repeated. */
export function explainFailure(error: unknown): Explanation {
  const said = error instanceof Refusal ? `${error.reason} ${error.notes.detail ?? ''}` : String(error)
  const known = explanations.find(([pattern]) => pattern.test(said))
  if (known !== undefined) return { found: known[1], fix: known[2] }
  const reason = error instanceof Refusal ? error.reason : error instanceof Error ? error.name : 'unknown'
  return { found: `the request failed (${reason})`, fix: 'try again with --bundle, and report it' }
}
