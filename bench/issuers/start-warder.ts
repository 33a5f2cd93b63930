import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientMetadata } from '@warder/protocol'
import { openStore, type Store } from '@warder/store'
import { startChild } from '../measure/child.ts'
import { findFreePort } from '../measure/free-port.ts'
import { type Issuer, redirectUri, type Step } from './issuer.ts'

const root = join(import.meta.dirname, '..', '..')
const everything = join(root, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js')
const host = 'warder.bench.test'
const clientId = 'bench-client'
const userId = 'wus_bench'
/** Nobody signs in by password here. */
const passwordHash = 'none'

const policy = `
version: 1
servers:
  everything:
    run: [${JSON.stringify(process.execPath)}, ${JSON.stringify(everything)}]
    scopes:
      everything:read: { title: Use the harmless tools, basic: true }
    tools:
      - { match: echo, scopes: [everything:read] }
access:
  - { who: { user: owner }, client: any, may: [everything:read] }
`

/** `warder protect` as a user runs it behind a proxy, with its database and log on the disk. */
export interface WarderIssuer extends Issuer {
  readonly database: string
  /** The same database, open in one more process. */
  readonly store: Store
}

/** Makes an owner and a client through the store, and whatever `fill` writes into the database file, and starts it. */
export async function startWarder(
  options: {
    readonly nodeArgs?: readonly string[]
    readonly fill?: (database: string, known: { readonly userId: string; readonly clientId: string }) => void
  } = {},
): Promise<WarderIssuer> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-bench-'))
  const data = join(directory, 'data')
  writeFileSync(join(directory, 'warder.yaml'), policy)
  const database = join(data, 'warder.sqlite')
  const store = await openStore({ file: database })
  await populate(store)
  options.fill?.(database, { userId, clientId })
  const port = await findFreePort()
  const args = ['protect', '--json', '--port', String(port), '--data', data]
  const child = await startChild({
    program: join(root, 'apps/cli/src/main.ts'),
    args: [...args, '--public-url', `https://${host}`, '--trust-proxy'],
    cwd: directory,
    ...(options.nodeArgs === undefined ? {} : { nodeArgs: options.nodeArgs }),
  })
  return {
    name: 'Warder',
    child,
    origin: `http://127.0.0.1:${port}`,
    host,
    authorizePath: '/authorize',
    tokenPath: '/token',
    clientId,
    scope: 'everything:read',
    database,
    store,
    async signIn() {
      const secret = randomBytes(32).toString('base64url')
      const now = Date.now()
      const session = { userId, passwordHash, signedInAt: now, expiresAt: now + 8 * 3_600_000, now }
      await store.sessions.create({ hash: hash(secret), ...session })
      return `__Host-warder=${secret}`
    },
    consent: readConsentPage,
    async stop() {
      await store.close()
      await child.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function populate(store: Store): Promise<void> {
  const now = Date.now()
  const metadata: ClientMetadata = {
    clientName: 'Bench',
    redirectUris: [redirectUri],
    native: false,
    applicationType: 'web',
    grantTypes: ['authorization_code', 'refresh_token'],
    tokenEndpointAuthMethod: 'none',
  }
  await store.clients.add({
    id: clientId,
    kind: 'pre-registered',
    metadata: JSON.stringify(metadata),
    now,
  })
  await store.users.createOwnerLink({ hash: 'bench', expiresAt: now + 60_000, now })
  const user = { id: userId, email: 'owner@bench.test', passwordHash }
  await store.users.claimOwner({ linkHash: 'bench', user, now })
}

function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

function readConsentPage(page: string): Step | undefined {
  const path = /action="([^"]*\/consent)"/.exec(page)?.[1]
  const token = /name="form_token" value="([^"]*)"/.exec(page)?.[1]
  if (path === undefined || token === undefined) return undefined
  return {
    path,
    form: new URLSearchParams({ form_token: token, decision: 'allow', scope: 'everything:read' }),
  }
}
