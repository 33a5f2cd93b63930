import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import type { OutboundFetch } from '@warder/outbound'
import { type Policy, readPolicy } from '@warder/policy'
import { openStore, type Store } from '@warder/store'
import { afterAll } from 'vitest'
import {
  type AuthorizationServer,
  createAuthorizationServer,
  type LogEntry,
  type ServedResource,
} from '../src/index.ts'
import { type Browser, makeBrowser, type Shown } from './browser.ts'

export const ownerEmail = 'owner@example.test'
export const readerEmail = 'reader@example.test'
export const password = 'a long enough password'
export const verifier = 'v'.repeat(43)
export const challenge = createHash('sha256').update(verifier).digest('base64url')
export const callback = 'http://127.0.0.1:33418/callback'
export const notes = 'http://localhost:8765/notes/mcp'

export const policyText = `
version: 1
servers:
  notes:
    url: http://127.0.0.1:3001/mcp
    scopes:
      notes:read: { title: Read notes, basic: true }
      notes:write: { title: Change notes, implies: [notes:read] }
      notes:admin: { title: Remove everything, description: Nobody can bring it back., risk: high }
    tools:
      - { match: search_notes, scopes: [notes:read] }
      - { match: create_note, scopes: [notes:write] }
      - { match: wipe, scopes: [notes:admin] }
access:
  - { who: { user: owner }, client: any, may: [notes:read, notes:write, notes:admin] }
  - { who: { user: ${readerEmail} }, client: any, may: [notes:read] }
`

export const notesResource: ServedResource = {
  resource: notes,
  server: 'notes',
  title: 'Notes',
  tools: [
    { name: 'search_notes' },
    { name: 'create_note' },
    { name: 'wipe', annotations: { destructiveHint: true } },
  ],
}

export interface Warder {
  readonly server: AuthorizationServer
  readonly store: Store
  readonly issuer: string
  readonly dir: string
  readonly secret: Uint8Array
  readonly logs: LogEntry[]
  readonly clock: { now: number }
  /** URLs that were fetched. */
  readonly fetched: string[]
  browser(address?: string): Browser
  post(
    path: string,
    body: string | Record<string, string | readonly string[]>,
    headers?: Record<string, string>,
  ): Promise<Response>
  get(path: string, headers?: Record<string, string>): Promise<Response>
}

export interface StartOptions {
  readonly issuer?: string
  readonly resources?: () => readonly ServedResource[]
  readonly policy?: string
  readonly fetch?: OutboundFetch
  /** The owner and a user who may only read; default true. */
  readonly withUsers?: boolean
  readonly dir?: string
  readonly secret?: Uint8Array
  /** Stands between the server and its policy. */
  readonly betweenPolicy?: (policy: Policy) => Policy
  /** Stands between the server and its store. */
  readonly between?: (store: Store) => Store
}

const started: { store: Store; dir: string }[] = []
afterAll(async () => {
  for (const { store, dir } of started) {
    await store.close()
    rmSync(dir, { recursive: true, force: true })
  }
})

/** The cheapest that argon2 knows: the cost of a hash stands in the hash, and these tests sign in hundreds of times. */
const cheap = { memoryCost: 8, timeCost: 1 }
let passwordHash: Promise<string> | undefined

/** A real authorization server on a real store in a directory of its own, with a clock that the test moves. */
export async function startWarder(options: StartOptions = {}): Promise<Warder> {
  const issuer = options.issuer ?? 'http://localhost:8765'
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'warder-as-'))
  const secret = options.secret ?? new Uint8Array(randomBytes(32))
  const store = await openStore({ file: join(dir, 'warder.db') })
  started.push({ store, dir })
  const logs: LogEntry[] = []
  const fetched: string[] = []
  const clock = { now: Date.parse('2026-08-01T12:00:00Z') }
  const policy = readPolicy(options.policy ?? policyText)
  const server = await createAuthorizationServer({
    issuer,
    store: options.between?.(store) ?? store,
    policy: () => options.betweenPolicy?.(policy) ?? policy,
    resources: options.resources ?? (() => [notesResource]),
    fetch: async (url, request) => {
      fetched.push(url)
      if (options.fetch === undefined) throw new Error('nothing is there')
      return await options.fetch(url, request)
    },
    secret,
    now: () => clock.now,
    log: (entry) => logs.push(entry),
  })
  const send = (path: string, init: RequestInit): Promise<Response> =>
    server.handle(new Request(new URL(path, new URL(issuer).origin), init), { address: '127.0.0.1' })
  if (options.withUsers !== false && !(await store.users.hasOwner())) {
    passwordHash ??= hash(password, cheap)
    const link = 'test link'
    await store.users.createOwnerLink({ hash: link, expiresAt: clock.now + 1000, now: clock.now })
    const owner = { id: 'wus_owner', email: ownerEmail, passwordHash: await passwordHash }
    await store.users.claimOwner({ linkHash: link, user: owner, now: clock.now })
    const reader = { id: 'wus_reader', email: readerEmail, passwordHash: await passwordHash }
    await store.users.add({ ...reader, now: clock.now })
  }
  return {
    server,
    store,
    issuer,
    dir,
    secret,
    logs,
    clock,
    fetched,
    browser: (address) => makeBrowser(server, address),
    get: (path, headers = {}) => send(path, { headers }),
    post(path, body, headers = {}) {
      const form = typeof body === 'string' ? body : formBody(body)
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      return send(path, { method: 'POST', body: form, headers: { ...type, ...headers } })
    },
  }
}

export function formBody(fields: Record<string, string | readonly string[]>): string {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one)
  return body.toString()
}

let registrations = 0

/** Registers from a new address each time, unless one is given: the budget of an address is small. */
export async function register(
  w: Warder,
  metadata: unknown,
  address: string = nextAddress(),
): Promise<Response> {
  const request = new Request(`${w.issuer}/register`, {
    method: 'POST',
    body: typeof metadata === 'string' ? metadata : JSON.stringify(metadata),
    headers: { 'content-type': 'application/json' },
  })
  return await w.server.handle(request, { address })
}

function nextAddress(): string {
  registrations += 1
  return `10.0.${registrations >> 8}.${registrations & 255}`
}

/** The id of a newly registered client. */
export async function registerClient(
  w: Warder,
  redirectUris: readonly string[] = [callback],
): Promise<string> {
  const answer = await register(w, { client_name: 'Test client', redirect_uris: redirectUris })
  return ((await answer.json()) as { client_id: string }).client_id
}

type Overrides = Readonly<Record<string, string | readonly string[] | null>>

/** The URL of an authorization request; `null` leaves a parameter out. */
export function authorizeUrl(w: Warder, clientId: string, overrides: Overrides = {}): string {
  const query = new URLSearchParams()
  const all: Overrides = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: callback,
    state: 'the-state',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    resource: notes,
    ...overrides,
  }
  for (const [name, value] of Object.entries(all)) {
    for (const one of value === null ? [] : [value].flat()) query.append(name, one)
  }
  return `${w.issuer}/authorize?${query}`
}

export async function signIn(browser: Browser, page: Shown, email: string = ownerEmail): Promise<Shown> {
  return await browser.submit(page, { email, password })
}

/** A signed-in browser on the consent page. */
export async function openConsent(
  w: Warder,
  clientId: string,
  overrides: Overrides = {},
  email: string = ownerEmail,
): Promise<{ browser: Browser; page: Shown }> {
  const browser = w.browser()
  const page = await signIn(browser, await browser.open(authorizeUrl(w, clientId, overrides)), email)
  return { browser, page }
}

/** Goes the whole way to a code: sign-in, consent with these switches on. */
export async function getCode(
  w: Warder,
  clientId: string,
  scopes: readonly string[] = ['notes:read', 'notes:write'],
  overrides: Overrides = {},
): Promise<string> {
  const { browser, page } = await openConsent(w, clientId, { scope: scopes.join(' '), ...overrides })
  const { left, html } = await browser.submit(page, { decision: 'allow', scope: scopes })
  const code = left?.searchParams.get('code')
  if (typeof code !== 'string') throw new Error(`no code: ${left ?? html}`)
  return code
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
}

export async function exchange(
  w: Warder,
  clientId: string,
  code: string,
  overrides: Overrides = {},
): Promise<Response> {
  return await postToken(w, {
    grant_type: 'authorization_code',
    client_id: clientId,
    code,
    redirect_uri: callback,
    code_verifier: verifier,
    ...overrides,
  })
}

export async function refresh(
  w: Warder,
  clientId: string,
  token: string,
  overrides: Overrides = {},
): Promise<Response> {
  return await postToken(w, {
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: token,
    ...overrides,
  })
}

async function postToken(w: Warder, fields: Overrides): Promise<Response> {
  const present = Object.entries(fields).filter(
    (entry): entry is [string, string | readonly string[]] => entry[1] !== null,
  )
  const path = `${new URL(w.issuer).pathname.replace(/\/$/, '')}/token`
  return await w.post(path, Object.fromEntries(present))
}

/** Goes the whole way to tokens. */
export async function getTokens(w: Warder, clientId: string, scopes?: readonly string[]): Promise<Tokens> {
  const answer = await exchange(w, clientId, await getCode(w, clientId, scopes))
  if (answer.status !== 200) throw new Error(await answer.text())
  return (await answer.json()) as Tokens
}

export async function errorOf(answer: Response): Promise<string> {
  return `${answer.status} ${((await answer.json()) as { error: string }).error}`
}

/** The claims of a token, without any check. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}
