/**
 * Every way in which Warder says no. Code throws `new Refusal(reason, { detail })`; one writer a surface turns it into a
 * response, a redirect, a challenge, a JSON-RPC error or a page. `detail` is for the operator's log only.
 */
export type Reason =
  // the HTTP door
  | 'http.target'
  | 'http.host'
  | 'http.origin'
  | 'http.path'
  | 'http.method'
  | 'http.transport'
  | 'http.content-type'
  | 'http.too-large'
  | 'http.throttled'
  | 'http.full'
  | 'http.head-too-large'
  | 'http.header'
  | 'http.body'
  | 'http.expectation'
  | 'http.upgrade'
  // parameters
  | 'parameter.repeated'
  | 'parameter.malformed'
  | 'parameter.missing'
  // clients
  | 'client.unknown'
  | 'client.authentication'
  | 'client.document-url'
  | 'client.document-unreachable'
  | 'client.document-invalid'
  // the authorization request
  | 'redirect.missing'
  | 'redirect.unregistered'
  | 'response-type.unsupported'
  | 'response-mode.unsupported'
  | 'request-object.unsupported'
  | 'request-uri.unsupported'
  | 'prompt.none'
  | 'pkce.missing'
  | 'pkce.method'
  | 'pkce.malformed'
  | 'resource.missing'
  | 'resource.unknown'
  | 'resource.several'
  | 'scope.malformed'
  | 'scope.unknown'
  | 'scope.not-allowed'
  // sign-in and consent
  | 'transaction.unknown'
  | 'transaction.other-browser'
  | 'visit.unknown'
  | 'form.origin'
  | 'form.token'
  | 'login.wrong'
  | 'login.throttled'
  | 'user.disabled'
  | 'consent.denied'
  | 'owner-link.invalid'
  | 'owner.exists'
  | 'owner.missing'
  | 'password.weak'
  | 'email.malformed'
  | 'email.taken'
  // registration
  | 'registration.redirect-uri'
  | 'registration.metadata'
  | 'registration.not-json'
  | 'registration.token'
  // tokens
  | 'grant-type.unsupported'
  | 'grant-type.unauthorized'
  | 'code.unknown'
  | 'code.expired'
  | 'code.replayed'
  | 'code.other-client'
  | 'code.other-redirect'
  | 'pkce.mismatch'
  | 'refresh.unknown'
  | 'refresh.expired'
  | 'refresh.replayed'
  | 'refresh.other-client'
  | 'grant.revoked'
  | 'resource.outside-grant'
  | 'scope.outside-grant'
  // the resource server
  | 'token.missing'
  | 'token.malformed'
  | 'token.two-places'
  | 'token.algorithm'
  | 'token.type'
  | 'token.key'
  | 'token.signature'
  | 'token.issuer'
  | 'token.audience'
  | 'token.expired'
  | 'token.not-yet-valid'
  | 'token.claims'
  | 'token.revoked'
  | 'scope.insufficient'
  | 'call.declined'
  | 'call.never'
  | 'call.unknown'
  | 'call.not-executed'
  | 'call.ended'
  | 'policy.unavailable'
  | 'keys.unavailable'
  | 'revocations.unavailable'
  | 'log.unavailable'
  // MCP messages
  | 'message.not-utf8'
  | 'message.not-json'
  | 'message.duplicate-key'
  | 'message.number'
  | 'message.too-complex'
  | 'message.batch'
  | 'message.shape'
  | 'message.params'
  | 'message.cursor'
  | 'message.method'
  | 'message.header-mismatch'
  | 'message.version'
  | 'session.missing'
  | 'session.unknown'
  // upstream
  | 'upstream.unreachable'
  | 'upstream.answer'
  | 'upstream.unauthorized'
  | 'upstream.busy'
  | 'upstream.crashing'
  // outbound fetches of URLs that somebody else chose
  | 'outbound.url'
  | 'outbound.address'
  | 'outbound.redirect'
  | 'outbound.status'
  | 'outbound.too-large'
  | 'outbound.timeout'
  | 'outbound.unreachable'
  | 'outbound.content'
  // a person signing in from this computer
  | 'sign-in.url'
  | 'sign-in.port'
  | 'sign-in.browser'
  | 'sign-in.pasted'
  | 'sign-in.timeout'
  // what a client refuses of servers, and cannot go on without
  | 'server.url'
  | 'server.other'
  | 'resource-metadata.place'
  | 'resource-metadata.absent'
  | 'resource-metadata.invalid'
  | 'resource-metadata.resource'
  | 'server-metadata.absent'
  | 'server-metadata.invalid'
  | 'server-metadata.issuer'
  | 'server-metadata.endpoint'
  | 'server-metadata.pkce'
  | 'registration.other-issuer'
  | 'registration.answer'
  | 'registration.refused'
  | 'callback.malformed'
  | 'callback.state'
  | 'callback.issuer'
  | 'callback.refused'
  | 'step-up.denied'
  | 'step-up.exhausted'
  // what an authorization server answers to our client, and what our client cannot do
  | 'token-answer.malformed'
  | 'token-answer.type'
  | 'token-answer.unbound'
  | 'token-answer.exchanged'
  | 'device-answer.malformed'
  | 'client-key.unusable'
  | 'workload-token.unusable'
  | 'id-token.unusable'
  // our own trouble
  | 'store.unavailable'
  | 'internal'

/** What a reason means to a peer: HTTP status, public error code, the words it may read, and the rule behind it. */
export interface Rule {
  /** HTTP status on a machine surface; pages show 4xx other than 403 as 400. */
  readonly status: number
  /** OAuth `error`, safe for any peer. */
  readonly error: string
  /** One or two sentences for the person or program that was refused; no input is ever echoed here. */
  readonly says: string
  /** The specification section, or our own documented choice. */
  readonly rule: string
  /** JSON-RPC code, where the reason can answer an MCP message. */
  readonly code?: number
}

const rule = (status: number, error: string, says: string, source: string, code?: number): Rule =>
  code === undefined ? { status, error, says, rule: source } : { status, error, says, rule: source, code }

const invalidToken = (says: string, source: string): Rule => rule(401, 'invalid_token', says, source)
const invalidGrant = (says: string, source: string): Rule => rule(400, 'invalid_grant', says, source)

/** The one refusal catalogue. The errors page of the docs is built from it. */
// biome-ignore format: a table, one row a reason
export const refusals: Readonly<Record<Reason, Rule>> = {
  'http.target': rule(400, 'invalid_request', 'The request target must be a plain path.', 'RFC 9112 section 3.2'),
  'http.host': rule(421, 'invalid_request', 'This host name is not served here. Use the address that Warder printed at its start.', 'MCP transports, DNS rebinding', -32600),
  'http.origin': rule(403, 'invalid_request', 'Requests from this web origin are not allowed.', 'MCP transports, GW-02', -32600),
  'http.path': rule(404, 'not_found', 'There is nothing at this address.', 'RFC 9110 section 15.5.5'),
  'http.method': rule(405, 'invalid_request', 'This method is not allowed here.', 'RFC 9110 section 15.5.6', -32600),
  'http.transport': rule(405, 'invalid_request', 'HTTP+SSE of revision 2024-11-05 is not supported. Use streamable HTTP: send messages by POST to the MCP endpoint.', 'MCP transports, backwards compatibility', -32600),
  'http.content-type': rule(415, 'invalid_request', 'The content type of the body is not accepted here.', 'RFC 9110 section 15.5.16', -32600),
  'http.throttled': rule(429, 'temporarily_unavailable', 'Too many requests. Wait a moment, then try again.', 'RFC 6585 section 4', -32603),
  'http.full': rule(503, 'temporarily_unavailable', 'Too many requests are in progress here. Wait a moment, then try again.', 'RFC 9110 section 15.6.4; our choice', -32603),
  'http.too-large': rule(413, 'invalid_request', 'The body is larger than is accepted here.', 'RFC 9110 section 15.5.14', -32600),
  'http.head-too-large': rule(431, 'invalid_request', 'The address or the headers are larger than is accepted here.', 'RFC 6585 section 5', -32600),
  'http.header': rule(400, 'invalid_request', 'A header was sent more than once or has a form that is not allowed.', 'RFC 9110 section 5.3', -32600),
  'http.body': rule(400, 'invalid_request', 'This request must not have a body.', 'RFC 9110 section 9.3.1; our choice', -32600),
  'http.expectation': rule(417, 'invalid_request', 'Expect is not supported here.', 'RFC 9110 section 10.1.1', -32600),
  'http.upgrade': rule(426, 'invalid_request', 'Only HTTP/1.1 is spoken here.', 'RFC 9110 section 7.8', -32600),

  'parameter.repeated': rule(400, 'invalid_request', 'A parameter was sent more than once.', 'RFC 6749 section 3.1'),
  'parameter.malformed': rule(400, 'invalid_request', 'A parameter has a form that is not allowed.', 'RFC 6749 section 3.1'),
  'parameter.missing': rule(400, 'invalid_request', 'A required parameter is missing.', 'RFC 6749 section 5.2'),

  'client.unknown': rule(401, 'invalid_client', 'The application that sent you here is not known to this server. Let it register again.', 'RFC 6749 section 4.1.2.1'),
  'client.authentication': rule(401, 'invalid_client', 'The client could not be authenticated.', 'RFC 6749 section 5.2'),
  'client.document-url': rule(400, 'invalid_client', 'The client id is a URL that cannot name a client metadata document.', 'CIMD section 2'),
  'client.document-unreachable': rule(400, 'invalid_client', 'The document that describes the application could not be fetched.', 'CIMD section 3'),
  'client.document-invalid': rule(400, 'invalid_client', 'The document that describes the application is not valid.', 'CIMD section 3'),

  'redirect.missing': rule(400, 'invalid_request', 'The request does not say where the answer should go.', 'OAuth 2.1 section 4.1.1'),
  'redirect.unregistered': rule(400, 'invalid_request', 'The request asks for an answer at an address that the application has not registered. Nothing was sent there.', 'OAuth 2.1 section 4.1.1, MCP AS-14'),
  'response-type.unsupported': rule(400, 'unsupported_response_type', 'Only response_type=code is supported.', 'OAuth 2.1 section 4.1'),
  'response-mode.unsupported': rule(400, 'invalid_request', 'Only response_mode=query is supported.', 'OAuth 2.1 section 4.1'),
  'request-object.unsupported': rule(400, 'request_not_supported', 'Request objects are not supported.', 'OpenID Connect Core section 6'),
  'request-uri.unsupported': rule(400, 'request_uri_not_supported', 'Request URIs are not supported.', 'OpenID Connect Core section 6'),
  'prompt.none': rule(400, 'interaction_required', 'A person has to sign in and consent.', 'OpenID Connect Core section 3.1.2.6'),
  'pkce.missing': rule(400, 'invalid_request', 'code_challenge is required.', 'OAuth 2.1 section 4.1.1, MCP'),
  'pkce.method': rule(400, 'invalid_request', 'code_challenge_method must be S256.', 'OAuth 2.1 section 4.1.1'),
  'pkce.malformed': rule(400, 'invalid_request', 'A PKCE value has the wrong form.', 'RFC 7636 sections 4.1 and 4.2'),
  'resource.missing': rule(400, 'invalid_target', 'resource is required, since several resources are served here.', 'RFC 8707 section 2'),
  'resource.unknown': rule(400, 'invalid_target', 'The requested resource is not served here.', 'RFC 8707 section 2'),
  'resource.several': rule(400, 'invalid_target', 'A token is for exactly one resource.', 'RFC 8707 section 2; our choice'),
  'scope.malformed': rule(400, 'invalid_scope', 'scope has the wrong form.', 'RFC 6749 appendix A.4'),
  'scope.unknown': rule(400, 'invalid_scope', 'None of the requested scopes exists at this resource.', 'RFC 6749 section 4.1.2.1'),
  'scope.not-allowed': rule(403, 'access_denied', 'Your access rules allow this application nothing of what it asks for.', 'the policy file, access'),

  'transaction.unknown': rule(400, 'invalid_request', 'This sign-in has ended or has been used already. Go back to the application and start again.', 'our choice: ten minutes, single use'),
  'transaction.other-browser': rule(403, 'access_denied', 'This sign-in was started in another browser. Go back to the application and start again here.', 'MCP security best practices, GHSA-rww4-4w9c-7733'),
  'visit.unknown': rule(
    400,
    'invalid_request',
    'This visit of the account page has ended. Open the account page again.',
    'our choice: ten minutes on http loopback, design decision 10',
  ),
  'form.origin': rule(403, 'access_denied', 'This form was sent from another site.', 'OAuth 2.1 section 7; MCP security best practices'),
  'form.token': rule(403, 'access_denied', 'This form is out of date. Reload the page and try again.', 'MCP security best practices, CSRF'),
  'login.wrong': rule(403, 'access_denied', 'E-mail or password is not right.', 'OWASP ASVS 2.2'),
  'login.throttled': rule(429, 'slow_down', 'Too many attempts. Wait a moment, then try again.', 'OWASP ASVS 2.2.1'),
  'user.disabled': rule(401, 'invalid_token', 'The user may not sign in any more.', 'our choice: indistinguishable from a revoked token'),
  'consent.denied': rule(403, 'access_denied', 'The user did not allow the access.', 'RFC 6749 section 4.1.2.1'),
  'owner-link.invalid': rule(400, 'invalid_request', 'This owner link has ended or has been used already. Start Warder again to get a new one.', 'our choice: fifteen minutes, single use'),
  'owner.exists': rule(400, 'invalid_request', 'This server has an owner already.', 'our choice'),
  'owner.missing': rule(400, 'access_denied', 'This server has no owner yet. Open the owner link that Warder printed in the terminal, then start again.', 'our choice'),
  'password.weak': rule(400, 'invalid_request', 'The password must have between 12 and 1,024 characters, and both entries must be the same.', 'OWASP ASVS 2.1'),
  'email.taken': rule(400, 'invalid_request', 'This e-mail address belongs to a user already. Choose another.', 'our choice'),
  'email.malformed': rule(400, 'invalid_request', 'This is not an e-mail address.', 'our choice'),

  'registration.redirect-uri': rule(400, 'invalid_redirect_uri', 'A redirect URI must be https, http on a loopback address, or a known native scheme, without fragment and user info.', 'RFC 7591 section 3.2.2, MCP ALL-09'),
  'registration.metadata': rule(400, 'invalid_client_metadata', 'The client metadata is not acceptable here.', 'RFC 7591 section 3.2.2'),
  'registration.token': rule(401, 'invalid_token', 'Registration takes no access token here. Send the request without one.', 'RFC 7591 section 3; our choice'),
  'registration.not-json': rule(400, 'invalid_client_metadata', 'The body is not a JSON object.', 'RFC 7591 section 3.1'),

  'grant-type.unsupported': rule(400, 'unsupported_grant_type', 'This grant type is not supported.', 'RFC 6749 section 5.2'),
  'grant-type.unauthorized': rule(400, 'unauthorized_client', 'The client is not registered for this grant type.', 'RFC 6749 section 5.2'),
  'code.unknown': invalidGrant('The code is not valid.', 'RFC 6749 section 5.2'),
  'code.expired': invalidGrant('The code is not valid.', 'OAuth 2.1 section 4.1.2'),
  'code.replayed': invalidGrant('The code is not valid.', 'OAuth 2.1 section 4.1.3'),
  'code.other-client': invalidGrant('The code is not valid.', 'OAuth 2.1 section 4.1.3'),
  'code.other-redirect': invalidGrant('The code is not valid.', 'OAuth 2.1 section 4.1.3'),
  'pkce.mismatch': invalidGrant('The code verifier does not fit.', 'RFC 7636 section 4.6'),
  'refresh.unknown': invalidGrant('The refresh token is not valid.', 'RFC 6749 section 5.2'),
  'refresh.expired': invalidGrant('The refresh token is not valid.', 'RFC 6749 section 5.2'),
  'refresh.replayed': invalidGrant('The refresh token is not valid.', 'OAuth 2.1 section 4.3.1'),
  'refresh.other-client': invalidGrant('The refresh token is not valid.', 'RFC 6749 section 6'),
  'grant.revoked': invalidGrant('The grant has ended.', 'RFC 7009 section 2.1'),
  'resource.outside-grant': rule(400, 'invalid_target', 'The resource is not part of the grant.', 'RFC 8707 section 2.2'),
  'scope.outside-grant': rule(400, 'invalid_scope', 'The scope is not part of the grant.', 'RFC 6749 section 6'),

  'token.missing': rule(401, 'unauthorized', 'Sign in to use this MCP server.', 'RFC 6750 section 3, MCP RS-03'),
  'token.malformed': invalidToken('The access token has the wrong form.', 'RFC 6750 section 2.1'),
  'token.two-places': rule(400, 'invalid_request', 'An access token goes into the Authorization header, once, and nowhere else.', 'RFC 6750 section 2, MCP'),
  'token.algorithm': invalidToken('The access token is not valid.', 'RFC 8725 section 3.1'),
  'token.type': invalidToken('The access token is not valid.', 'RFC 9068 section 4'),
  'token.key': invalidToken('The access token is not valid.', 'RFC 8725 section 3.8'),
  'token.signature': invalidToken('The access token is not valid.', 'RFC 7515 section 5.2'),
  'token.issuer': invalidToken('The access token is not valid.', 'RFC 9068 section 4'),
  'token.audience': invalidToken('The access token is for another server.', 'MCP RS-10, RFC 8707 section 2'),
  'token.expired': invalidToken('The access token has expired.', 'RFC 6750 section 3.1'),
  'token.not-yet-valid': invalidToken('The access token is not valid yet.', 'RFC 7519 section 4.1.5'),
  'token.claims': invalidToken('The access token is not valid.', 'RFC 9068 section 2.2'),
  'token.revoked': invalidToken('The access token was revoked.', 'RFC 7009 section 2.1'),
  'scope.insufficient': rule(403, 'insufficient_scope', 'The user has not allowed this yet. Ask for the scopes named in the challenge.', 'MCP RS-21', 403),
  'call.declined': rule(200, 'access_denied', 'The user declined this. Do not try again; the user can widen the access on the account page.', 'our choice'),
  'call.never': rule(200, 'access_denied', 'The rules of this server do not allow this tool. Do not try again.', 'the policy file', -32602),
  'call.unknown': rule(200, 'invalid_params', 'Unknown tool', 'MCP tools, error handling', -32602),
  'call.not-executed': rule(200, 'invalid_request', 'Not executed: another message of this batch was refused.', 'MCP 2025-03-26 OT-10, our choice', -32600),
  'call.ended': rule(200, 'access_denied', 'The access was taken away while this call was running, so its answer is not passed on. The call may have taken effect: find that out before you make it again.', 'our choice', -32603),
  'policy.unavailable': rule(503, 'temporarily_unavailable', 'The access rules cannot be read right now. Try again later.', 'fail closed', -32603),
  'keys.unavailable': rule(503, 'temporarily_unavailable', 'The keys of the authorization server cannot be read right now. Try again later.', 'fail closed', -32603),
  'revocations.unavailable': rule(503, 'temporarily_unavailable', 'It cannot be told right now whether the token was revoked. Try again later.', 'fail closed', -32603),
  'log.unavailable': rule(503, 'temporarily_unavailable', 'The call cannot be recorded right now, so it was not made. Try again later.', 'fail closed', -32603),

  'message.not-utf8': rule(400, 'invalid_request', 'The body is not UTF-8 without a byte order mark.', 'RFC 8259 section 8.1', -32700),
  'message.not-json': rule(400, 'invalid_request', 'The body is not JSON.', 'JSON-RPC 2.0 section 5.1', -32700),
  'message.duplicate-key': rule(400, 'invalid_request', 'An object in the body has the same key twice.', 'RFC 8259 section 4; our choice', -32700),
  'message.number': rule(400, 'invalid_request', 'The body has a number that cannot be passed on exactly. Send it as a string.', 'RFC 7493 section 2.2; our choice', -32700),
  'message.too-complex': rule(400, 'invalid_request', 'The body is nested too deeply or has too many members.', 'RFC 8259 section 9; our choice', -32700),
  'message.batch': rule(400, 'invalid_request', 'Batches are not accepted.', 'MCP GW-04', -32600),
  'message.shape': rule(400, 'invalid_request', 'The body is not a JSON-RPC message.', 'JSON-RPC 2.0 section 4', -32600),
  'message.params': rule(400, 'invalid_request', 'The parameters of the request are not valid.', 'MCP GW-51', -32602),
  'message.cursor': rule(200, 'invalid_params', 'This cursor is not valid here. Read the list again from its start.', 'MCP pagination, error handling', -32602),
  'message.method': rule(404, 'invalid_request', 'Method not found', 'MCP GW-23', -32601),
  'message.header-mismatch': rule(400, 'invalid_request', 'A header does not agree with the body.', 'MCP GW-29', -32020),
  'message.version': rule(400, 'invalid_request', 'This protocol version is not supported.', 'MCP GW-22', -32022),
  'session.missing': rule(400, 'invalid_request', 'Mcp-Session-Id is required.', 'MCP OT-01', -32600),
  'session.unknown': rule(404, 'invalid_request', 'This session has ended. Initialize again.', 'MCP OT-01', -32600),

  'upstream.unreachable': rule(502, 'upstream_unreachable', 'The MCP server behind Warder does not answer.', 'RFC 9110 section 15.6.3', -32603),
  'upstream.answer': rule(502, 'upstream_invalid', 'The MCP server behind Warder sent an answer that cannot be passed on.', 'fail closed', -32603),
  'upstream.unauthorized': rule(502, 'upstream_unauthorized', 'The MCP server behind Warder wants credentials that Warder does not have.', 'MCP RS-17', -32603),
  'upstream.busy': rule(503, 'temporarily_unavailable', 'Too many programs are running for this server. Try again later.', 'our choice', -32603),
  'upstream.crashing': rule(503, 'temporarily_unavailable', 'The MCP server behind Warder has crashed several times in a row. It is started again in a while.', 'our choice', -32603),

  'outbound.url': rule(400, 'invalid_request', 'This URL may not be fetched.', 'MCP security best practices, SSRF'),
  'outbound.address': rule(400, 'invalid_request', 'This URL could not be fetched.', 'RFC 6890; MCP CL-66'),
  'outbound.redirect': rule(400, 'invalid_request', 'This URL could not be fetched.', 'CIMD section 3; MCP CL-67'),
  'outbound.status': rule(400, 'invalid_request', 'This URL could not be fetched.', 'CIMD section 3'),
  'outbound.too-large': rule(400, 'invalid_request', 'This URL could not be fetched.', 'CIMD section 6.6'),
  'outbound.timeout': rule(400, 'invalid_request', 'This URL could not be fetched.', 'our choice'),
  'outbound.unreachable': rule(400, 'invalid_request', 'This URL could not be fetched.', 'our choice'),
  'outbound.content': rule(400, 'invalid_request', 'What stands at this URL is not the expected document.', 'CIMD section 3'),

  'sign-in.url': rule(400, 'invalid_request', 'The server names an address for the sign-in that may not be opened: it must be https, or http on this computer.', 'MCP security best practices, OAuth Authorization URL Validation, CL-69'),
  'sign-in.port': rule(503, 'temporarily_unavailable', 'Another program uses the port on which the answer of the sign-in should arrive.', 'RFC 8252 section 7.3'),
  'sign-in.browser': rule(503, 'temporarily_unavailable', 'No browser could be opened on this computer.', 'RFC 8252 section 5'),
  'sign-in.pasted': rule(400, 'invalid_request', 'The address that was pasted is not the answer to this sign-in.', 'OAuth 2.1 section 4.1.2, MCP CL-63'),
  'sign-in.timeout': rule(503, 'temporarily_unavailable', 'Nobody finished the sign-in in time.', 'our choice: ten minutes'),

  'server.url': rule(400, 'invalid_request', 'An MCP server is reached by https, or by http on this computer, at a URL without user name and fragment.', 'MCP CL-65, ALL-08'),
  'server.other': rule(400, 'invalid_request', 'This client is signed in to another server. Nothing was sent.', 'MCP CL-28; our choice'),
  'resource-metadata.place': rule(502, 'server_error', 'The server announces its metadata in a place that is not its own. That place was not visited.', 'RFC 9728 section 7.7; our choice'),
  'resource-metadata.absent': rule(502, 'server_error', 'The server does not say who issues tokens for it.', 'RFC 9728 section 3, MCP CL-38'),
  'resource-metadata.invalid': rule(502, 'server_error', 'The metadata of the server is not valid.', 'RFC 9728 section 2'),
  'resource-metadata.resource': rule(502, 'server_error', 'The metadata of the server names another server. Nobody was sent there to sign in.', 'RFC 9728 section 3.3'),
  'server-metadata.absent': rule(502, 'server_error', 'The authorization server has no metadata where it must be.', 'RFC 8414 section 3, MCP CL-40'),
  'server-metadata.invalid': rule(502, 'server_error', 'The metadata of the authorization server is not valid.', 'RFC 8414 section 2'),
  'server-metadata.issuer': rule(502, 'server_error', 'The metadata of the authorization server is that of another one. Nothing of it was used.', 'RFC 8414 section 3.3, MCP CL-43'),
  'server-metadata.endpoint': rule(502, 'server_error', 'The authorization server names an endpoint that may not be used: only https, or http on this computer for a server on this computer.', 'MCP CL-69 and CL-70'),
  'server-metadata.pkce': rule(502, 'server_error', 'The authorization server does not say that it supports PKCE with S256, so a code could be stolen on its way.', 'MCP CL-60'),
  'registration.other-issuer': rule(400, 'invalid_client', 'The client id belongs to another authorization server than the one that the server names now. It was not sent there.', 'MCP CL-58 and CL-59'),
  'registration.answer': rule(502, 'server_error', 'The authorization server registered something else than what was asked for.', 'RFC 7591 section 3.2.1'),
  'registration.refused': rule(502, 'invalid_client', 'The authorization server refused to register this client.', 'RFC 7591 section 3.2.2'),
  'callback.malformed': rule(400, 'invalid_request', 'The answer of the sign-in has a form that is not allowed.', 'RFC 6749 section 4.1.2'),
  'callback.state': rule(400, 'invalid_request', 'The answer does not belong to the sign-in that was started here. Nothing of it was used. Start again.', 'RFC 6749 section 10.12, MCP CL-63'),
  'callback.issuer': rule(400, 'invalid_request', 'The answer came from another authorization server than the one that was asked. Nothing of it was used.', 'RFC 9207 section 2.4, MCP CL-13 to CL-18'),
  'callback.refused': rule(403, 'access_denied', 'The authorization server did not sign you in.', 'RFC 6749 section 4.1.2.1'),
  'step-up.denied': rule(403, 'insufficient_scope', 'The server wants more access for this than this client may ask for.', 'MCP CL-09 and CL-33; our choice'),
  'step-up.exhausted': rule(403, 'insufficient_scope', 'The server still wants more access after it was granted several times. It was not asked again.', 'MCP CL-35'),

  'token-answer.malformed': rule(400, 'invalid_request', 'The authorization server sent a token answer that cannot be used.', 'RFC 6749 section 5.1'),
  'token-answer.type': rule(400, 'invalid_request', 'The authorization server sent a token of a kind that was not asked for.', 'RFC 6749 section 7.1, RFC 9449 section 5'),
  'token-answer.unbound': rule(400, 'invalid_request', 'The authorization server sent a bearer token although one bound to a key was asked for.', 'RFC 9449 section 5'),
  'token-answer.exchanged': rule(400, 'invalid_request', 'The identity provider sent another kind of token than was asked for.', 'RFC 8693 section 2.2.1, MCP EM-08'),
  'device-answer.malformed': rule(400, 'invalid_request', 'The authorization server sent an answer to the device request that cannot be used.', 'RFC 8628 section 3.2'),
  'client-key.unusable': rule(400, 'invalid_client', 'The private key of the client cannot be used at this authorization server.', 'RFC 7523 section 2.2, RFC 9449 section 4'),
  'workload-token.unusable': rule(400, 'invalid_request', 'The token of this workload cannot be read, or is none.', 'RFC 7523 section 2.1, MCP WI-01'),
  'id-token.unusable': rule(400, 'invalid_request', 'The identity provider sent an ID token that is not for this sign-in.', 'OpenID Connect Core section 3.1.3.7'),

  'store.unavailable': rule(503, 'temporarily_unavailable', 'The server cannot store anything right now. Try again later.', 'fail closed'),
  internal: rule(500, 'server_error', 'Something went wrong here. The details are in the log of the server.', 'RFC 6749 section 4.1.2.1', -32603),
}

/** What may go along with a refusal: `detail` for the log, the rest for the writer of the surface. */
export interface RefusalNotes {
  /** For the operator's log only; never sent to a peer. */
  readonly detail?: string
  /** Scopes that the challenge names. */
  readonly scopes?: readonly string[]
  /** Seconds for `Retry-After`. */
  readonly retryAfter?: number
  /** A URL that the page may show as text, such as the document that could not be fetched. */
  readonly url?: string
  /** Where the answer would have gone, as `redirectHost` shows it, had it not been kept from there; for the page. */
  readonly withheldFrom?: string
  /** `data` of a JSON-RPC error, such as the supported versions. */
  readonly data?: unknown
  readonly cause?: unknown
}

/** Thrown wherever Warder says no; carries the reason, its rule, and notes for the log and the writer. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reason: Reason
  readonly rule: Rule
  readonly notes: RefusalNotes

  constructor(reason: Reason, notes: RefusalNotes = {}) {
    super(notes.detail === undefined ? reason : `${reason}: ${notes.detail}`, { cause: notes.cause })
    this.reason = reason
    this.rule = refusals[reason]
    this.notes = notes
  }
}

/** The refusal itself, or `internal` with the original error as cause: a writer never sees anything else. */
export function toRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal('internal', { detail: String(error), cause: error })
}
