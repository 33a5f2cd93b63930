import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One requirement of MCP for a part that Warder is: an authorization server, a resource server, a gateway, a proxy. */
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
AS-01 | MUST | authorization, overview | OAuth 2.1 for public and confidential clients |
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
GW-03 | MUST | transport, sending | Each message is a POST of its own | for clients
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
GW-14 | MUST | changes | A broken stream is a new request | for clients
GW-20 | MUST | transport, version header | MCP-Protocol-Version is sent | for clients
GW-21 | MUST | transport, version header | It equals the version in the body |
GW-22 | MUST | transport, version header | An unsupported version is 400 and -32022 |
GW-23 | MUST | transport, version header | An unknown method is 404 and -32601 |
GW-24 | MAY | transport, version header | Without a version it is 2025-03-26 |
GW-25 | MUST | transport, standard headers | Mcp-Method is sent | for clients
GW-26 | MUST | transport, standard headers | Mcp-Name is sent | for clients
GW-27 | MUST | transport, value encoding | Other values are sent in base64 | for clients
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
GW-39 | MUST | transport, schema extension | x-mcp-header is supported | for clients
GW-40 | SHOULD | transport, custom headers | A mismatch leads to a new list | for clients
GW-41 | SHOULD NOT | SEP-2243 | Secrets are marked with x-mcp-header | for authors of servers
GW-42 | MUST NOT | SEP-2243 | Mirrored values decide about rights |
GW-43 | SHOULD | SEP-2243 | Too many or too long headers are refused early |
GW-44 | derived | transport, subscriptions | What only the body names is decided as well |
GW-50 | MUST | base, _meta | The version and capabilities of the client are sent | for clients
GW-51 | MUST | base, _meta | A missing field of _meta is 400 and -32602 |
GW-52 | MUST | base, _meta | A capability that is needed and missing is -32021 | nothing here needs a capability of the client; an answer of the server behind passes
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
GW-71 | MUST NOT | caching, key | Results of retries are cached | for clients
GW-72 | SHOULD | tools, capabilities | The order of tools is stable |
GW-73 | MUST NOT | multi round-trip requests | Input is asked for where it cannot be given |
GW-80 | MAY | versioning | Both eras at one endpoint |
GW-81 | SHOULD | versioning | Modern-only servers name their versions at initialize | the bridge serves both eras; of an HTTP server behind, its own answer passes
GW-82 | SHOULD | transport, backward compatibility | A modern error means a modern server | for clients
GW-83 | SHOULD | versioning | The era is remembered | for clients
GW-84 | derived | transport | 401 says nothing about the era | for clients
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
