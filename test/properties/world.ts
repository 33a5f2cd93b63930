import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { type AuthorizationServer, createAuthorizationServer } from '@warder/authorization-server'
import { createGuard, type Guard } from '@warder/guard'
import { impliedScopes, readPolicy } from '@warder/policy'
import { openStore, type Store } from '@warder/store'
import { followChanges, type LiveFacts } from '../../apps/cli/src/protect/follow-changes.ts'
import { makeBrowser } from '../../packages/authorization-server/test/browser.ts'
import type { Documents } from '../../packages/authorization-server/test/documents.ts'
import {
  formBody,
  notes,
  notesResource,
  ownerEmail,
  password,
  policyText,
  readerEmail,
  type Warder,
} from '../../packages/authorization-server/test/start.ts'

const issuer = 'https://auth.example.test'
const cheap = { memoryCost: 8, timeCost: 1 }
const policy = readPolicy(policyText)
const server = policy.servers.get('notes')
if (server === undefined) throw new Error('the policy of this test has no server')

/** A scope with everything that it implies. */
export const covered = (scopes: readonly string[]): ReadonlySet<string> => impliedScopes(server, scopes)

/** Stands between the server and its store: shows that the model sees a broken one. */
export type Sabotage = (store: Store) => Store

/** The real thing: an authorization server on a file, and the guard that follows its store. Both can be started anew. */
export interface World {
  /** Stays the same whatever is restarted behind it. */
  readonly w: Warder
  /** Statuses of all answers since they were last taken. */
  readonly statuses: number[]
  readonly documents: Documents
  guard(): Guard
  facts(): LiveFacts
  /** Closes the store and opens it again. */
  restart(): Promise<void>
  /** Goes on from a copy of the files, taken while the store is open: what is on the disk after a `kill -9`. */
  crash(): Promise<void>
  end(): Promise<void>
}

interface Running {
  readonly store: Store
  readonly server: AuthorizationServer
  readonly facts: LiveFacts
  readonly guard: Guard
}

export async function openWorld(documents: Documents, sabotage: Sabotage = (store) => store): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'warder-model-'))
  const clock = { now: Date.parse('2026-08-01T12:00:00Z') }
  const secret = new Uint8Array(randomBytes(32))
  const statuses: number[] = []
  let generation = 0
  const fileOf = (number: number): string => join(dir, String(number), 'warder.db')
  const start = async (): Promise<Running> => {
    mkdirSync(join(dir, String(generation)), { recursive: true, mode: 0o700 })
    const store = sabotage(await openStore({ file: fileOf(generation) }))
    return await run(store, { secret, clock, documents })
  }
  let running = await start()
  await addUsers(running.store, clock.now)
  await running.facts.catchUp()

  const handle: AuthorizationServer['handle'] = async (request, peer) => {
    const answer = await running.server.handle(request, peer)
    statuses.push(answer.status)
    return answer
  }
  const send = (path: string, init: RequestInit): Promise<Response> =>
    handle(new Request(`${issuer}${path}`, init), { address: '127.0.0.1' })
  const stable: AuthorizationServer = {
    handle,
    answer: (request, peer) => running.server.answer(request, peer),
    jwks: () => running.server.jwks(),
    createOwnerLink: () => running.server.createOwnerLink(),
  }
  const w: Warder = {
    server: stable,
    get store() {
      return running.store
    },
    issuer,
    dir,
    secret,
    logs: [],
    clock,
    fetched: [],
    browser: (address) => makeBrowser(stable, address),
    get: (path, headers = {}) => send(path, { headers }),
    post(path, body, headers = {}) {
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      const form = typeof body === 'string' ? body : formBody(body)
      return send(path, { method: 'POST', body: form, headers: { ...type, ...headers } })
    },
  }
  const stop = async (): Promise<void> => {
    running.facts.stop()
    await running.store.close()
  }
  return {
    w,
    statuses,
    documents,
    guard: () => running.guard,
    facts: () => running.facts,
    async restart() {
      await stop()
      running = await start()
    },
    async crash() {
      const from = fileOf(generation)
      generation += 1
      const to = fileOf(generation)
      mkdirSync(join(dir, String(generation)), { mode: 0o700 })
      // Without the -shm file: it holds nothing that is not in the other two.
      for (const part of ['', '-wal']) if (existsSync(from + part)) copyFileSync(from + part, to + part)
      await stop()
      running = await start()
    },
    async end() {
      await stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function run(
  store: Store,
  { secret, clock, documents }: Pick<Warder, 'secret' | 'clock'> & { readonly documents: Documents },
): Promise<Running> {
  const now = (): number => clock.now
  const server = await createAuthorizationServer({
    issuer,
    store,
    policy: () => policy,
    resources: () => [notesResource],
    fetch: documents.fetch,
    secret,
    now,
  })
  const facts = await followChanges(store, {
    issuer,
    now,
    coveredScopes: ({ scopes }) => covered(scopes),
    onEnded() {},
    onPolicy: async () => {},
    onHearing() {},
  })
  const guard = createGuard({
    resource: notes,
    server: 'notes',
    policy: () => policy,
    issuer,
    keys: { jwks: server.jwks },
    revocations: facts,
    findUser: facts.findUser,
    catchUp: facts.catchUp,
    now,
  })
  return { store, server, facts, guard }
}

let passwordHash: Promise<string> | undefined

/** The same password every time, hashed as cheaply as argon2 can. */
export function hashPassword(): Promise<string> {
  passwordHash ??= hash(password, cheap)
  return passwordHash
}

async function addUsers(store: Store, now: number): Promise<void> {
  const link = 'test link'
  await store.users.createOwnerLink({ hash: link, expiresAt: now + 1000, now })
  const owner = { id: 'wus_owner', email: ownerEmail, passwordHash: await hashPassword() }
  await store.users.claimOwner({ linkHash: link, user: owner, now })
  const reader = { id: 'wus_reader', email: readerEmail, passwordHash: await hashPassword() }
  await store.users.add({ ...reader, now })
}
