import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One requirement of MCP for a part that Warder is: an authorization server, a resource server, a gateway, a proxy, a client. */
export interface Requirement {
  readonly id: string
  /** MUST, SHOULD, …; `note`: no keyword in the source; `derived`: follows from it. */
  readonly level: string
  /** Page and section of the specification. */
  readonly source: string
  readonly says: string
  /** Why no test names it; absent: one does. */
  readonly reason: string | undefined
}

// One line each: id | level | source | what it says, in short | why no test names it.
const table = `
AS-01 | MUST | authorization, overview | OAuth 2.1 for public clients |
AS-37 | MUST | authorization, overview | OAuth 2.1 for confidential clients | there are none here yet: every client is a public one
AS-02 | SHOULD | client registration | Supports client id metadata documents |
AS-03 | MAY | client registration | Supports dynamic registration, for older clients |
AS-04 | MUST | authorization, overview | Publishes RFC 8414 metadata or OpenID Connect discovery |
AS-05 | MUST | security, code protection | OpenID discovery names code_challenge_methods_supported |
AS-06 | derived | security, code protection | RFC 8414 metadata names it too, since clients refuse without |
AS-07 | derived | discovery, metadata | issuer is byte by byte what clients built the URL from |
AS-08 | SHOULD | authorization, response validation | iss in authorization answers, errors too |
AS-09 | MUST | authorization, response validation | Announces that it sends iss |
AS-10 | note | authorization, response validation | A later revision makes iss a MUST | about later revisions; it is sent already (AS-08)
AS-11 | MUST | security, communication | All endpoints over https |
AS-12 | SHOULD | security, token theft | Short-lived access tokens |
AS-13 | MUST | security, token theft | Refresh tokens of public clients are rotated |
AS-14 | MUST | security, open redirection | Redirect URIs are compared exactly |
AS-15 | note | security, open redirection | Only the port of a loopback redirect may differ |
AS-16 | MUST | security, open redirection | Never sends the browser to an untrusted URI |
AS-17 | SHOULD | security, open redirection | Redirects by itself only to a trusted URI |
AS-18 | MUST | security, client documents | Weighs the threats of client id metadata documents |
AS-19 | SHOULD | client registration | Follows the security rules for these documents |
AS-20 | SHOULD | client registration | Fetches the document when the client id is a URL |
AS-21 | MUST | client registration | Refuses a document whose client_id is not its URL |
AS-22 | MUST | client registration | Refuses a document that is no JSON or lacks fields |
AS-23 | MUST | client registration | Checks the redirect URI against the document |
AS-24 | SHOULD | client registration | Caches the document as its headers say |
AS-25 | SHOULD | security, abuse protection | Treats fetching documents as an SSRF risk |
AS-26 | SHOULD | security, localhost redirects | Warns when the answer goes to this computer |
AS-27 | MUST | security, localhost redirects | Shows the host of the redirect URI at consent |
AS-28 | MAY | security, localhost redirects | Demands more proof of local clients | not demanded; each sign-in of such a client asks the user (AS-26)
AS-29 | MAY | security, trust policies | Restricts document clients by domain |
AS-30 | note | client registration | Announces support of documents |
AS-31 | note | client registration | A document that fails is a page, never a redirect |
AS-32 | MAY | best practices, scopes | Grants fewer scopes than were asked for |
AS-33 | note | authorization, refresh tokens | Refresh tokens are at its own discretion |
AS-34 | note | client registration | Redirect URIs may be limited by application_type |
AS-35 | MUST | best practices, URL validation | http is for loopback only |
AS-36 | note | discovery, location | Client ids and tokens belong to one authorization server |
RS-01 | MUST | authorization, overview | Serves protected resource metadata |
RS-02 | MUST | discovery, location | It names an authorization server at least |
RS-03 | MUST | discovery, resource metadata | It can be found by the challenge or a well-known URI |
RS-04 | derived | discovery, resource metadata | Both, since old clients need the header |
RS-05 | SHOULD | authorization, scope selection | The challenge names scopes |
RS-06 | MAY | authorization, scope selection | Challenged scopes are free of scopes_supported | a freedom; there is nothing to prove
RS-07 | SHOULD | authorization, scope selection | Scope sets are built consistently |
RS-08 | note | authorization, scope selection | scopes_supported is the basic set, not the catalogue |
RS-09 | MUST | authorization, token handling | Validates access tokens |
RS-10 | MUST | authorization, token handling | Checks that a token was issued for this server |
RS-11 | MUST | authorization, token handling | Failures are answered with WWW-Authenticate and error |
RS-12 | MUST | authorization, token handling | An invalid or expired token gets 401 |
RS-13 | MUST | authorization, token handling | Accepts only tokens for its own resources |
RS-14 | MUST NOT | authorization, token handling | Accepts or forwards any other token |
RS-15 | MUST | security, audience | Refuses a token that does not name it as audience |
RS-16 | MUST | security, audience | Validates before anything is processed |
RS-17 | MUST NOT | security, audience | Passes the token of the client on |
RS-18 | MUST NOT | best practices, token passthrough | Accepts tokens that were not issued for it |
RS-19 | SHOULD NOT | authorization, refresh tokens | Lists offline_access |
RS-20 | MUST | authorization, errors | 401, 403 and 400 each for their case |
RS-21 | SHOULD | authorization, runtime scope errors | Too little scope is 403 insufficient_scope with scope and metadata |
RS-22 | SHOULD | authorization, runtime scope errors | It names what the operation needs |
RS-23 | SHOULD | authorization, runtime scope errors | All missing scopes are in one challenge |
RS-24 | SHOULD | authorization, runtime scope errors | What is included is predictable |
RS-25 | SHOULD | authorization, runtime scope errors | Users are not interrupted without end |
RS-26 | MUST | authorization, step-up | A broader scope satisfies a narrower need |
RS-27 | MUST | best practices, state handles | Every request is verified by itself |
RS-28 | MUST NOT | best practices, state handles | Takes the possession of a handle for authentication |
RS-29 | SHOULD | best practices, state handles | Handles are random and expire |
RS-30 | SHOULD | best practices, state handles | Handles are bound to the user |
RS-31 | note | best practices, scopes | A scope in a token is not enough: the policy decides |
RS-32 | note | best practices, scopes | No wildcard scopes, and no catalogue in challenges |
RS-33 | note | best practices, scopes | Requests for more scope are logged, with an id |
RS-34 | note | best practices, scopes | Tokens with fewer scopes are accepted |
RS-35 | SHOULD | best practices, local servers | A local server wants a token from other processes |
RS-36 | SHOULD | transport, security | All connections are authenticated |
RS-37 | SHOULD | transport, security | A local server listens on loopback only |
RS-38 | MUST NOT | tools, capabilities | Lists vary by connection |
RS-39 | MAY | tools, capabilities | Lists vary by authorization |
RS-40 | MUST | multi round-trip requests | requestState is protected when it decides anything | Warder makes none; that of the server behind passes untouched
RS-41 | SHOULD | multi round-trip requests | requestState holds user, expiry and digest | Warder makes none
RS-42 | MUST | multi round-trip requests | A requestState for one use is used once | Warder makes none
RS-43 | derived | multi round-trip requests | A retry is authorized like any request |
GW-01 | MUST | transport | One endpoint, POST only |
GW-02 | MUST | transport, security | Origin is checked |
GW-03 | MUST | transport, sending | Each message is a POST of its own |
GW-04 | MUST NOT | transport, sending | Clients send responses or batches |
GW-05 | MUST | transport, sending | An accepted notification gets 202 |
GW-06 | note | transport, sending | Notifications have no header rules |
GW-07 | MUST | transport, sending | Answers are JSON or events; both pass unbuffered |
GW-08 | SHOULD | transport, receiving | Keep-alives and unbuffered events |
GW-09 | MUST NOT | transport, receiving | A server sends requests on a stream |
GW-10 | MUST | transport, cancellation | Closing the stream cancels the request |
GW-11 | SHOULD | transport, earlier revisions | GET and DELETE are answered with 405 |
GW-12 | SHOULD | transport, earlier revisions | Session and event ids are ignored |
GW-13 | MUST NOT | base, statelessness | Infers anything from earlier requests |
GW-14 | MUST | changes | A broken stream is a new request |
GW-20 | MUST | transport, version header | MCP-Protocol-Version is sent |
GW-21 | MUST | transport, version header | It equals the version in the body |
GW-22 | MUST | transport, version header | An unsupported version is 400 and -32022 |
GW-23 | MUST | transport, version header | An unknown method is 404 and -32601 |
GW-24 | MAY | transport, version header | Without a version it is 2025-03-26 |
GW-25 | MUST | transport, standard headers | Mcp-Method is sent |
GW-26 | MUST | transport, standard headers | Mcp-Name is sent |
GW-27 | MUST | transport, value encoding | Other values are sent in base64 |
GW-28 | MUST | transport, value encoding | The base64 form is decoded before it is compared |
GW-29 | MUST | transport, server validation | Headers that differ from the body are 400 and -32020 |
GW-30 | MUST | transport, server validation | Intermediaries answer with a fitting HTTP error |
GW-31 | derived | transport, backward compatibility | With the JSON-RPC error, so that clients do not fall back |
GW-32 | SHOULD | transport, server validation | Headers are not trusted where the version does not check them |
GW-33 | derived | transport, server validation | The body decides |
GW-34 | MUST | transport, case | Header values keep their case |
GW-35 | note | SEP-2243, conformance | Outer white space is trimmed, bad base64 refused |
GW-36 | MUST | transport, custom headers | Unknown Mcp-Param headers are forwarded |
GW-37 | MUST | transport, custom headers | Known Mcp-Param headers equal the body | for the server behind, which knows its schemas; Warder decides nothing by them
GW-38 | SHOULD | transport, server validation | Integers are compared as numbers | for the server behind, as GW-37
GW-39 | MUST | transport, schema extension | x-mcp-header is supported |
GW-40 | SHOULD | transport, custom headers | A mismatch leads to a new list |
GW-41 | SHOULD NOT | SEP-2243 | Secrets are marked with x-mcp-header | for authors of servers
GW-42 | MUST NOT | SEP-2243 | Mirrored values decide about rights |
GW-43 | SHOULD | SEP-2243 | Too many or too long headers are refused early |
GW-44 | derived | transport, subscriptions | What only the body names is decided as well |
GW-50 | MUST | base, _meta | The version and capabilities of the client are sent |
GW-51 | MUST | base, _meta | A missing field of _meta is 400 and -32602 |
GW-52 | MUST | base, _meta | A capability that is needed and missing is -32021 |
GW-53 | MUST NOT | base, error codes | Codes of the reserved range that are not defined |
GW-54 | MUST NOT | base, error codes | Codes of older revisions |
GW-55 | SHOULD NOT | base, error codes | Codes of -32000 to -32019 in new code |
GW-56 | derived | base, error codes | No JSON-RPC code stands for authorization |
GW-57 | derived | security, audience | Authentication comes before protocol checks |
GW-58 | MUST NOT | caching, security | Relies on cacheScope for access control |
GW-59 | MUST | SEP-2575 | Each request is authorized without an initialize phase |
GW-60 | MUST | discovery of servers | server/discover is answered |
GW-61 | note | discovery of servers | It needs a token like everything else |
GW-62 | MUST | subscriptions, acknowledgment | The first message says what is honoured |
GW-63 | MUST NOT | subscriptions | Sends what was not asked for |
GW-64 | derived | subscriptions | Each resource of a subscription is authorized |
GW-65 | SHOULD | subscriptions, closure | A stream that the server ends is completed first |
GW-66 | MUST | caching | Lists say how long they hold and for whom |
GW-67 | MUST | caching, scope | A list filtered for a user is private |
GW-68 | derived | caching | A gateway that filters makes it private |
GW-69 | MUST NOT | caching, scope | Private results are shared between tokens | Warder caches no results
GW-70 | MUST | caching, pagination | All pages of a list have one cacheScope |
GW-71 | MUST NOT | caching, key | Results of retries are cached |
GW-72 | SHOULD | tools, capabilities | The order of tools is stable |
GW-73 | MUST NOT | multi round-trip requests | Input is asked for where it cannot be given |
GW-80 | MAY | versioning | Both eras at one endpoint |
GW-81 | SHOULD | versioning | Modern-only servers name their versions at initialize | the bridge serves both eras; of an HTTP server behind, its own answer passes
GW-82 | SHOULD | transport, backward compatibility | A modern error means a modern server |
GW-83 | SHOULD | versioning | The era is remembered |
GW-84 | derived | transport | 401 says nothing about the era |
OT-01 | MUST | 2025-11-25, sessions | Sessions begin at initialize and are needed after it |
OT-02 | MUST NOT | 2025-11-25, session hijacking | Sessions authenticate anybody |
OT-03 | MUST | 2025-11-25, session hijacking | Session ids are random and bound to the user |
OT-04 | MAY | 2025-11-25, listening | GET opens a stream, by the same rules |
OT-05 | SHOULD | 2025-11-25, sessions | DELETE ends a session, by its owner only |
OT-06 | MAY | 2025-11-25, resumability | Event ids give nobody another stream |
OT-07 | note | 2025-11-25, sending | Clients post responses |
OT-08 | SHOULD NOT | 2025-11-25, sending | A disconnect is a cancellation |
OT-09 | MUST | 2025-06-18, version header | An invalid version is 400 |
OT-10 | note | 2025-03-26, sending | In a batch each message is authorized |
OT-11 | note | 2025-03-26, metadata discovery | Metadata is asked for with MCP-Protocol-Version |
OT-12 | note | 2025-06-18, security | Origin is checked in every revision |
OT-13 | note | transport, server validation | Older revisions have no mirrored headers; they are checked all the same |
OT-14 | note | transport, HTTP+SSE | HTTP+SSE of 2024-11-05 is not spoken any more |
PX-01 | MUST | security, confused deputy | Each registered client needs the consent of the user |
PX-02 | MUST | best practices, confused deputy | Consent is kept by client |
PX-03 | MUST | best practices, consent storage | Approved clients are kept by user |
PX-04 | MUST | best practices, consent storage | They are looked up before a third-party flow | Warder signs in nowhere else yet
PX-05 | MUST | best practices, consent storage | Decisions are stored by the server |
PX-06 | MUST | best practices, consent page | The page names the client |
PX-07 | MUST | best practices, consent page | The page shows third-party scopes | Warder signs in nowhere else yet; it shows its own scopes
PX-08 | MUST | best practices, consent page | The page shows the redirect URI |
PX-09 | MUST | best practices, consent page | The page is protected against CSRF |
PX-10 | MUST | best practices, consent page | The page cannot be framed |
PX-11 | MUST | best practices, cookies | Cookies have the __Host- prefix |
PX-12 | MUST | best practices, cookies | Cookies are Secure, HttpOnly, SameSite=Lax |
PX-13 | MUST | best practices, cookies | Cookies stand for a session of the server |
PX-14 | MUST | best practices, cookies | Consent is bound to the client |
PX-15 | MUST | best practices, redirect URIs | redirect_uri equals the registered one |
PX-16 | MUST | best practices, redirect URIs | A changed one is refused |
PX-17 | MUST | best practices, state | state towards others is random | Warder signs in nowhere else yet
PX-18 | MUST | best practices, state | It is stored after consent | Warder signs in nowhere else yet
PX-19 | MUST | best practices, state | Its cookie is set right before the redirect | Warder signs in nowhere else yet
PX-20 | MUST | best practices, state | It is compared at the callback | Warder signs in nowhere else yet
PX-21 | MUST | best practices, state | A callback without it is refused | Warder signs in nowhere else yet
PX-22 | MUST | best practices, state | It is used once, and soon | Warder signs in nowhere else yet
PX-23 | MUST NOT | best practices, state | Its cookie is set before consent | Warder signs in nowhere else yet
PX-24 | SHOULD | best practices, stdio | Children of stdio proxies are kept apart |
CL-01 | SHOULD | client registration | Supports client id metadata documents |
CL-02 | MAY | authorization, overview | Supports dynamic registration |
CL-03 | MUST | authorization, overview | Finds the authorization server through the metadata of the resource |
CL-04 | MUST | authorization, overview | Reads RFC 8414 metadata and OpenID Connect discovery |
CL-05 | MUST | client registration | Has a client id before the flow starts |
CL-06 | MUST NOT | authorization, scope selection | Assumes how challenged scopes relate to scopes_supported |
CL-07 | MUST | authorization, scope selection | Takes challenged scopes as what the operation needs |
CL-08 | SHOULD | authorization, scope selection | Asks again for challenged and granted scopes together |
CL-09 | SHOULD | authorization, scope selection | Asks only for scopes that are needed |
CL-10 | SHOULD | authorization, scope selection | First the challenge, else scopes_supported, else no scope |
CL-11 | MUST | authorization, response validation | Records the issuer beside the verifier before it redirects |
CL-12 | MUST | authorization, response validation | Checks iss before a code goes anywhere |
CL-13 | MUST | authorization, response validation | Announced and there: compared as a plain string |
CL-14 | MUST | authorization, response validation | Announced and missing: refused |
CL-15 | MUST | authorization, response validation | Not announced but there: compared all the same |
CL-16 | MUST | authorization, response validation | Not announced and missing: goes on |
CL-17 | MUST NOT | authorization, response validation | Normalises iss |
CL-18 | MUST NOT | authorization, response validation | Shows or acts on an error of an answer with the wrong iss |
CL-19 | MUST | authorization, resource parameter | Implements RFC 8707 |
CL-20 | MUST | authorization, resource parameter | Sends resource in authorization and token requests |
CL-21 | MUST | authorization, resource parameter | resource names the MCP server that the token is for |
CL-22 | MUST | authorization, resource parameter | resource is the canonical URI |
CL-23 | MUST | authorization, canonical URI | Sends it whether or not the server supports it |
CL-24 | SHOULD | authorization, canonical URI | Uses the most specific URI that it can |
CL-25 | MUST | authorization, token requirements | Sends the token in the Authorization header |
CL-26 | MUST | authorization, token requirements | Sends it with every request |
CL-27 | MUST NOT | authorization, token requirements | Puts it into a query |
CL-28 | MUST NOT | authorization, token handling | Sends a server a token of another authorization server than its own |
CL-29 | MUST | authorization, refresh tokens | Keeps refresh tokens confidential on the way and at rest |
CL-30 | SHOULD | authorization, refresh tokens | Registers the grant refresh_token when it wants refresh tokens |
CL-31 | MAY | authorization, refresh tokens | Asks for offline_access where the server lists it |
CL-32 | MUST NOT | authorization, refresh tokens | Relies on getting a refresh token |
CL-33 | SHOULD | authorization, step-up | Answers scope errors with step-up |
CL-34 | note | authorization, step-up | Asks for what it asked for before and the challenge together |
CL-35 | SHOULD | authorization, step-up | Limits tries and remembers failed ones by resource and operation |
CL-36 | MUST | discovery, location | Keeps registrations and tokens of authorization servers apart |
CL-37 | MUST NOT | discovery, location | Assumes that credentials of one work at another |
CL-38 | MUST | discovery, resource metadata | The header's URL, else the path-inserted place, else the root |
CL-39 | MUST | discovery, resource metadata | Reads WWW-Authenticate and reacts to 401 |
CL-40 | MUST | discovery, metadata | Tries several well-known places |
CL-41 | MUST | discovery, metadata | Issuer with a path: the three places in order |
CL-42 | MUST | discovery, metadata | Issuer without a path: RFC 8414, then OpenID |
CL-43 | MUST | discovery, metadata | Does not use metadata whose issuer is another |
CL-44 | SHOULD | client registration | Pre-registered, document, dynamic, ask: in this order |
CL-45 | MUST | client registration | Obeys the draft on client id metadata documents |
CL-46 | MUST | client registration | The document stands at an https URL |
CL-47 | MUST | client registration | A client id that is a URL is https and has a path |
CL-48 | MUST | client registration | The document has client_id, client_name and redirect_uris |
CL-49 | MUST | client registration | client_id in the document is exactly its URL |
CL-50 | MAY | client registration | Authenticates by private_key_jwt with the keys of its document |
CL-51 | SHOULD | client registration | Uses a document only where it is announced |
CL-52 | SHOULD | client registration | Takes pre-registered credentials |
CL-53 | MUST | client registration | Registers with a suitable application_type |
CL-54 | SHOULD | client registration | native for programs on the user's machine |
CL-55 | SHOULD | client registration | web for applications on a host of their own |
CL-56 | MUST | client registration | Copes with a registration refused for its redirect URIs |
CL-57 | MUST | client registration | Keys stored credentials by the issuer |
CL-58 | MUST NOT | client registration | Uses credentials again when the authorization server changed |
CL-59 | SHOULD | client registration | Pre-registered credentials and another server: an error, no try |
CL-60 | MUST | security, code protection | PKCE always; refuses where support is not announced |
CL-61 | MUST | security, code protection | Uses S256 |
CL-62 | MUST | security, open redirection | Its redirect URIs are registered |
CL-63 | SHOULD | security, open redirection | Drops answers with a missing or wrong state |
CL-64 | MUST | best practices, SSRF | Fetches URLs of others safely |
CL-65 | SHOULD | best practices, SSRF | Demands https, with http for loopback |
CL-66 | SHOULD | best practices, SSRF | Blocks private, loopback and link-local addresses |
CL-67 | SHOULD | best practices, SSRF | The same for redirects |
CL-68 | SHOULD | best practices, SSRF | Pins the checked address; works behind an egress proxy |
CL-69 | MUST | best practices, URL validation | Authorization URLs are https, or http on loopback |
CL-70 | MUST | best practices, URL validation | Refuses schemes that run or open something |
CL-71 | MUST NOT | best practices, URL validation | Opens URLs through a shell |
CL-72 | MUST | best practices, URL validation | Checks every URL that a server sends |
CL-73 | SHOULD | best practices, URL validation | Web pages of clients have a content security policy |
CL-74 | MUST | best practices, local servers | Shows the whole command of a local server before it is set up |
CL-75 | SHOULD | best practices, stdio proxies | Isolates what runs behind a stdio proxy |
CL-76 | note | client registration | A document's client id needs no new registration elsewhere |
CL-77 | MUST NOT | multi round trips | Reads or changes requestState; echoes it on the retry alone |
EM-01 | MUST | enterprise-managed authorization | audience of the exchange is the issuer of the MCP server's authorization server |
EM-02 | MUST | enterprise-managed authorization | resource, where sent, is the identifier of the MCP server |
EM-03 | note | enterprise-managed authorization | The exchange asks for an ID-JAG with an ID token or SAML assertion |
EM-04 | MUST | enterprise-managed authorization | The client authenticates at the exchange |
EM-11 | note | enterprise-managed authorization | The ID-JAG is redeemed by jwt-bearer as the client that is registered there |
EM-20 | MUST NOT | enterprise-managed authorization | Logs whole ID-JAGs, or puts them or tokens into URLs |
EM-24 | MUST | enterprise-managed authorization | Proves the state of the single sign-on |
EM-30 | note | enterprise-managed authorization | Never sends the user to the authorization endpoint of the MCP server |
CC-02 | MUST | client credentials | Authenticates by a JWT assertion or a secret |
CC-03 | note | client credentials | Only with pre-registered credentials |
CC-06 | note | client credentials | Sends resource and scope; with an assertion no client_id beside it |
CC-07 | MUST | client credentials | Keeps to the security rules of OAuth 2.1, above all for its credentials |
CC-08 | MAY | client credentials | Steps up or stops when scopes are missing |
`

/** All of them, in the order of the specification's pages. */
export const requirements: readonly Requirement[] = table
  .trim()
  .split('\n')
  .map((line) => {
    const [id = '', level = '', source = '', says = '', reason = ''] = line
      .split('|')
      .map((cell) => cell.trim())
    return { id, level, source, says, reason: reason === '' ? undefined : reason }
  })

const parts: Readonly<Record<string, string>> = {
  AS: 'Authorization server',
  RS: 'Resource server',
  GW: 'Gateway, revision 2026-07-28',
  OT: 'Older revisions of the transport',
  PX: 'Proxy that is an authorization server towards clients',
  CL: 'Client',
  EM: 'Enterprise-managed authorization, as a client',
  CC: 'Client credentials, as a client',
}

/** The page of the documents that is made from the table. */
export function requirementsPage(): string {
  const sections = Object.entries(parts).map(([prefix, title]) => {
    const rows = requirements
      .filter(({ id }) => id.startsWith(`${prefix}-`))
      .map(
        ({ id, level, source, says, reason }) =>
          `| ${id} | ${level} | ${says} | ${source} | ${reason ?? 'tested'} |`,
      )
    return [
      `## ${title}`,
      '',
      '| | level | what | source | |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n')
  })
  return [
    '# Requirements',
    '',
    'What the MCP specification wants of the parts that Warder is, in our words; the specification is what counts. The sources',
    'are pages of revision 2026-07-28 (authorization and its security best practices, streamable HTTP and what goes over it)',
    'unless an older revision is named. Where a line says MUST NOT or SHOULD NOT, the sentence is what must not be.',
    '',
    '_Tested_ means that tests name the requirement: `git grep RS-21 -- "*.test.ts"`. Every other line says why not.',
    '',
    'This page is made from `test/requirements.ts`, and a test compares the two:',
    '`node --conditions=@warder/source test/requirements.ts --write` makes it anew.',
    '',
    sections.join('\n\n'),
    '',
  ].join('\n')
}

export const requirementsFile: string = join(import.meta.dirname, '..', 'docs', 'requirements.md')

if (process.argv[1] === import.meta.filename && process.argv.includes('--write')) {
  writeFileSync(requirementsFile, requirementsPage())
}
