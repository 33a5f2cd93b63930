import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeOwnerLink } from '@warder/authorization-server'
import { type LogRecord, readDecisionLog } from '@warder/gateway'
import { openStore, type Store } from '@warder/store'
import { startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { claimByLink, type Owner } from '../protect/claim-owner.ts'
import { type CountingUpstream, startCountingUpstream } from './counting-upstream.ts'

export const owner: Owner = { email: 'owner@example.com', password: 'a password of the owner' }

const policyFor = (url: string): string => `
version: 1
servers:
  notes:
    url: ${url}
    scopes:
      notes:read: { title: Read notes, basic: true }
    tools:
      - { match: echo, scopes: [notes:read] }
      - { match: count, scopes: [notes:read] }
access:
  - { who: { user: owner }, client: any, may: [notes:read] }
`

/** A real `warder protect` in front of a real server, with one user, its owner, that may die and come back. */
export interface Stage {
  readonly warder: WarderProcess
  readonly upstream: CountingUpstream
  readonly data: string
  readonly database: string
  /** Today's file of the decision log. */
  readonly logFile: string
  /** What stands in the decision log by now. */
  readLog(): Promise<readonly LogRecord[]>
  /** Starts it again at the same address, once it has ended. */
  restart(): Promise<void>
  /** Looks into the database from beside, as the other commands do. */
  withStore<Result>(work: (store: Store) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

export async function openStage(options: { readonly data?: string } = {}): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-faults-'))
  const data = options.data ?? join(directory, 'data')
  const upstream = await startCountingUpstream()
  writeFileSync(join(directory, 'warder.yaml'), policyFor(upstream.url))
  const start = (port: string): Promise<WarderProcess> =>
    startWarder({ directory, args: ['--port', port, '--data', data] })
  let warder = await start('0')
  const database = join(data, 'warder.sqlite')
  const withStore: Stage['withStore'] = async (work) => {
    const store = await openStore({ file: database })
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }
  const { issuer } = warder
  await claimByLink(await withStore((store) => makeOwnerLink({ store, issuer, now: Date.now() })), owner)
  return {
    get warder() {
      return warder
    },
    upstream,
    data,
    database,
    get logFile() {
      return join(data, 'log', `decisions-${new Date().toISOString().slice(0, 10)}.jsonl`)
    },
    async readLog() {
      const records: LogRecord[] = []
      for await (const record of readDecisionLog(join(data, 'log'))) records.push(record)
      return records
    },
    async restart() {
      // It is dead already, or dying: this waits for its end.
      await warder.stop('SIGKILL')
      warder = await start(new URL(warder.issuer).port)
    },
    withStore,
    async close() {
      await warder.stop('SIGKILL')
      upstream.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
