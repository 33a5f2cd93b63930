import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runWarder, startWarder, type WarderProcess } from '../../e2e/warder-process.ts'
import { approveAtWarder, loadPeer } from '../../peers/peer.ts'
import { claimOwner } from '../../protect/claim-owner.ts'
import { startDocumentHost } from '../actors/document-host.ts'
import { type HostileUpstream, startHostileUpstream } from '../actors/hostile-upstream.ts'
import { startLyingNames } from '../actors/lying-names.ts'
import { startPlayedIssuer } from '../actors/played-issuer.ts'
import type { Target } from '../target.ts'

const email = 'owner@example.com'
const password = 'canary-password-of-the-owner'

const policyFor = (upstream: HostileUpstream): string => `
version: 1
servers:
  notes:
    url: ${upstream.url}
    scopes:
      notes:read: { title: Read notes, basic: true }
      notes:write: { title: Change notes, risk: high }
    tools:
      - { match: read_note, scopes: [notes:read] }
      - { match: write_note, scopes: [notes:write] }
      - { match: delete_all, never: true }
    prompts: [ { match: summarize, scopes: [notes:read] } ]
    resources: [ { match: "notes:///*", scopes: [notes:read] } ]
  tasks:
    url: ${upstream.url}
    scopes:
      tasks:read: { title: Read tasks, basic: true }
    tools:
      - { match: read_note, scopes: [tasks:read] }
access:
  - { who: { user: owner }, client: any, may: [notes:read, notes:write, tasks:read] }
  - { who: { user: alice }, client: any, may: [notes:read, notes:write, tasks:read] }
  - { who: { user: bob }, client: any, may: [notes:read, notes:write, tasks:read] }
`

/**
 * `warder protect` as two processes in front of one hostile upstream: with its own authorization server, and (since rows about
 * tokens need keys that Warder never shows) with an issuer that the table plays.
 */
export async function startWarderTarget(): Promise<
  Target & { readonly processes: readonly WarderProcess[]; readonly directories: readonly string[] }
> {
  const directories = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'warder-hostile-')))
  const [first = '', second = ''] = directories
  const upstream = await startHostileUpstream()
  const documents = await startDocumentHost(first)
  const names = await startLyingNames()
  const issuer = await startPlayedIssuer()
  for (const directory of directories) writeFileSync(join(directory, 'warder.yaml'), policyFor(upstream))
  const args = ['--port', '0', '--trust-proxy']
  const [ours, guarded] = await Promise.all([
    startWarder({
      directory: first,
      program: join(import.meta.dirname, '../actors/protect-among-enemies.ts'),
      args,
      env: { DOCUMENT_HOST: documents.host, LYING_NAMES: names.url, NODE_EXTRA_CA_CERTS: documents.ca },
    }),
    startWarder({ directory: second, args: [...args, '--issuer', issuer.url] }),
  ])
  const stop = async (): Promise<void> => {
    await Promise.all([ours.stop(), guarded.stop()])
    await Promise.all([upstream.stop(), documents.stop(), names.stop(), issuer.stop()])
    for (const directory of directories) rmSync(directory, { recursive: true, force: true })
  }
  await addPeople(first).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  const peer = await loadPeer({
    issuer: ours.issuer,
    resource: ours.endpoint,
    scope: 'notes:read',
    approve: approveAtWarder(ours.issuer, email, password),
  })
  return {
    name: 'warder',
    processes: [ours, guarded],
    directories,
    has: new Set([
      'authorization server',
      'resource indicators',
      'two resources',
      'registration',
      'revocation',
      'client documents',
      'hostile names',
      'pages',
      'own tokens',
      'resource server',
      'two servers',
      'policy',
      'upstream',
      'sessions',
    ]),
    values: {
      issuer: ours.issuer,
      authorization_endpoint: String(peer.metadata['authorization_endpoint']),
      token_endpoint: String(peer.metadata['token_endpoint']),
      revocation_endpoint: String(peer.metadata['revocation_endpoint']),
      registration_endpoint: String(peer.metadata['registration_endpoint']),
      scope: 'notes:read',
      resource: ours.endpoint,
      otherResource: ours.servers[1]?.endpoint ?? '',
      endpoint: guarded.endpoint,
      otherEndpoint: guarded.servers[1]?.endpoint ?? '',
      playedIssuer: issuer.url,
      documents: `https://${documents.host}`,
      password,
    },
    approve: async (url) => (await peer.approve(url)).url,
    forms: { logIn: { email, password }, allow: { decision: 'allow' }, token: 'form_token' },
    mint: (spec) => issuer.mint(guarded.endpoint, spec),
    rotateKeys: issuer.rotate,
    keyFetches: issuer.keyFetches,
    upstream,
    documents,
    refusals: () => directories.flatMap(readRecords).filter(isRefusal).length,
    stop,
  }
}

/** An owner, who may do everything, and a user whom no rule of the policy names. */
async function addPeople(directory: string): Promise<void> {
  await claimOwner(directory, { email, password })
  const args = ['user', 'add', 'bob@example.com', '--data', join(directory, 'data')]
  const added = await runWarder(directory, args, password)
  if (added.code !== 0) throw new Error(added.err)
}

/** Everything that a Warder has written to its decision log. */
export function readRecords(directory: string): readonly Record<string, unknown>[] {
  const files = globSync('data/log/*.jsonl', { cwd: directory })
  return files
    .flatMap((file) => readFileSync(join(directory, file), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

const isRefusal = ({ kind, outcome, error }: Readonly<Record<string, unknown>>): boolean =>
  kind === 'decision' ? outcome !== 'open' : kind === 'outcome' && error !== undefined
