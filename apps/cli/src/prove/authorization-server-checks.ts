import { isLoopbackHost } from '@warder/protocol'
import type { Check, Probe } from './probe.ts'
import { failed, notApplicable, type ProofRow, passed, warning } from './proof.ts'

type Verdict = Pick<ProofRow, 'outcome' | 'says'>
type Document = Readonly<Record<string, unknown>>

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []

/** A check of the authorization server's metadata; not applicable where there is none. */
function audit(
  id: string,
  title: string,
  rule: string,
  judge: (document: Document, probe: Probe) => Verdict,
): Check {
  return {
    id,
    title,
    rule,
    run: async (probe) =>
      'wrong' in probe.serverMetadata
        ? notApplicable('there is no metadata to read')
        : judge(probe.serverMetadata.document, probe),
  }
}

/** What the metadata of the authorization server promises. */
export const authorizationServerChecks: readonly Check[] = [
  {
    id: 'server-metadata',
    title: 'Authorization server metadata',
    rule: 'RFC 8414; MCP AS-04, AS-07',
    async run({ issuer, serverMetadata }) {
      if ('wrong' in serverMetadata) return failed(serverMetadata.wrong)
      const said = serverMetadata.document['issuer']
      return said === issuer
        ? passed(`at ${serverMetadata.url}`)
        : failed(`issuer is ${JSON.stringify(said)}, not ${JSON.stringify(issuer)}: clients must not use it`)
    },
  },
  audit('pkce', 'PKCE with S256 only', 'MCP AS-05, CL-60', (document) => {
    const methods = strings(document['code_challenge_methods_supported'])
    if (!methods.includes('S256')) return failed('S256 is not advertised: clients must refuse to go on')
    return methods.includes('plain') ? warning('plain is accepted as well') : passed('S256')
  }),
  audit('flows', 'No outdated flows', 'OAuth 2.1 section 10', (document) => {
    const outdated = [
      ...strings(document['response_types_supported']).filter((type) => type.split(' ').includes('token')),
      ...strings(document['grant_types_supported']).filter(
        (type) => type === 'implicit' || type === 'password',
      ),
    ]
    return outdated.length === 0 ? passed('code only') : warning(`offers ${outdated.join(', ')}`)
  }),
  audit('algorithms', 'No unsigned tokens', 'RFC 8725 section 3.1', (document) => {
    const unsigned = Object.entries(document).filter(
      ([name, value]) => name.includes('signing_alg') && strings(value).includes('none'),
    )
    return unsigned.length === 0
      ? passed('none is nowhere offered')
      : failed(`none in ${unsigned.map(([name]) => name).join(', ')}`)
  }),
  audit('issuer-parameter', 'Answers name their issuer', 'RFC 9207; MCP AS-08, AS-09', (document) =>
    document['authorization_response_iss_parameter_supported'] === true
      ? passed('iss is sent')
      : warning('iss is not promised: mix-up attacks are possible'),
  ),
  audit('registration', 'A way in for new clients', 'MCP AS-02, AS-03', (document) => {
    const ways = [
      ...(document['client_id_metadata_document_supported'] === true ? ['metadata documents'] : []),
      ...(typeof document['registration_endpoint'] === 'string' ? ['dynamic registration'] : []),
    ]
    return ways.length === 0 ? warning('clients must be entered by hand') : passed(ways.join(' and '))
  }),
  audit('endpoints', 'Endpoints over https', 'MCP AS-11', (document) => {
    const plain = Object.entries(document).filter(
      ([name, value]) =>
        (name.endsWith('_endpoint') || name === 'jwks_uri') &&
        typeof value === 'string' &&
        isPlainAndRemote(value),
    )
    return plain.length === 0
      ? passed('yes, or on this computer')
      : failed(plain.map(([name]) => name).join(', '))
  }),
]

function isPlainAndRemote(value: string): boolean {
  if (!URL.canParse(value)) return true
  const url = new URL(value)
  return url.protocol !== 'https:' && !isLoopbackHost(url.hostname)
}
