import { type Discovery, readServerChallenge } from '@warder/client'
import type { UserFetch } from '@warder/outbound'
import { type Knock, knock, legacyInitialize } from '../../knock.ts'
import type { Tell } from '../finding.ts'

const group = 'the five things'

/** Sent as a token to see whether anybody looks at it. It opens nothing. */
const noToken = 'warder-doctor-is-not-a-token'

/** What must exist for a protected server: authorization server, resource server, validation, scopes, a client. */
export async function checkFiveThings(
  server: string,
  fetch: UserFetch,
  door: Knock,
  discovery: Discovery | undefined,
  tell: Tell,
): Promise<void> {
  tellAuthorizationServer(discovery, tell)
  tellResourceServer(door, tell)
  await tellValidation(server, fetch, door, tell)
  tellScopes(discovery, tell)
  tellClient(discovery, tell)
}

function tellAuthorizationServer(discovery: Discovery | undefined, tell: Tell): void {
  const check = '1. an authorization server'
  if (discovery === undefined) {
    tell({
      group,
      check,
      outcome: 'bad',
      found: 'none that can be used was found',
      fix: 'see discovery above; if you know its metadata, name it by --metadata-url',
    })
    return
  }
  const { metadata, issuer } = discovery
  const hasPkce = discovery.legacy !== undefined || metadata.codeChallengeMethods?.includes('S256') === true
  if (hasPkce) tell({ group, check, outcome: 'good', found: `${issuer}, with PKCE (S256)` })
  else
    tell({
      group,
      check,
      outcome: 'bad',
      found: `${issuer} does not say that it supports PKCE with S256, so no safe client may go on`,
      fix: 'its operator should list S256 in code_challenge_methods_supported; until then allow it by --dangerously-allow-missing-pkce',
    })
}

function tellResourceServer({ status, headers }: Knock, tell: Tell): void {
  const check = '2. a resource server'
  if (status !== 401) {
    const isOpen = status >= 200 && status < 300
    tell({
      group,
      check,
      outcome: 'bad',
      found: isOpen
        ? 'everybody gets in: it answered without a token'
        : `it answered ${status} to somebody without a token, not 401`,
      fix: isOpen
        ? 'put warder protect in front of it'
        : 'check the address: it must be that of the MCP endpoint (often /mcp)',
    })
    return
  }
  const announced = readServerChallenge(headers).resourceMetadata !== undefined
  tell({
    group,
    check,
    outcome: announced ? 'good' : 'note',
    found: announced
      ? 'it asks for a token and says where to sign in'
      : 'it asks for a token, but its challenge does not say where its metadata is',
    ...(!announced && {
      fix: 'its operator should send resource_metadata in WWW-Authenticate; some clients look nowhere else',
    }),
  })
}

async function tellValidation(server: string, fetch: UserFetch, door: Knock, tell: Tell): Promise<void> {
  const check = '3. token validation'
  if (door.status !== 401) {
    tell({ group, check, outcome: 'skipped', found: 'it asks for no token' })
    return
  }
  const status = await knock(fetch, server, legacyInitialize(noToken)).then(
    (answer) => answer.status,
    () => undefined,
  )
  if (status === 401) tell({ group, check, outcome: 'good', found: 'a worthless token is refused with 401' })
  else
    tell({
      group,
      check,
      outcome: 'bad',
      found:
        status === undefined
          ? 'a worthless token gets no answer'
          : `a worthless token gets ${status}, not 401`,
      fix: 'its operator must validate tokens on every request; clients refresh only on 401. See: warder prove URL',
    })
}

function tellScopes(discovery: Discovery | undefined, tell: Tell): void {
  const check = '4. scopes'
  const challenged = discovery?.challenge?.scopes
  const listed = discovery?.resourceMetadata?.scopesSupported
  if (challenged !== undefined)
    tell({ group, check, outcome: 'good', found: `the server asks for ${challenged.join(' ')}` })
  else if (listed !== undefined)
    tell({ group, check, outcome: 'good', found: `the server lists ${listed.join(' ')}` })
  else
    tell({
      group,
      check,
      outcome: 'note',
      found: 'the server names none: the authorization server decides what a token may do',
      fix: 'ask for less by --scope, if its documentation names scopes',
    })
}

function tellClient(discovery: Discovery | undefined, tell: Tell): void {
  const check = '5. a client'
  if (discovery === undefined) {
    tell({ group, check, outcome: 'skipped', found: 'nobody to register with' })
    return
  }
  const { metadata } = discovery
  if (metadata.registrationEndpoint !== undefined)
    tell({ group, check, outcome: 'good', found: 'clients can register themselves' })
  else if (metadata.readsDocuments)
    tell({ group, check, outcome: 'good', found: 'clients with a metadata document are taken' })
  else
    tell({
      group,
      check,
      outcome: 'note',
      found: 'only clients that are registered beforehand are taken',
      fix: 'register one there for http://127.0.0.1/callback (native), and sign in with --client-id',
    })
}
