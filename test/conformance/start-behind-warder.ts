import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { claimOwner } from '../protect/claim-owner.ts'

export const email = 'owner@example.com'
export const password = 'a password of the conformance tests'

/** Opens everything to one user, so that what differs behind Warder is Warder's own doing. */
export const policyFor = (upstream: string, user = 'owner'): string => `
version: 1
servers:
  conformance:
    ${upstream}
    scopes:
      conformance:all: { title: Everything, basic: true }
    tools: [{ match: "*", scopes: [conformance:all] }]
    resources: [{ match: "*", scopes: [conformance:all] }]
    prompts: [{ match: "*", scopes: [conformance:all] }]
access:
  - { who: { user: ${user} }, client: any, may: [conformance:all] }
`

/** `warder protect` in front of an upstream (`url: …` or `run: […]`), with an owner who may do everything. */
export async function startBehindWarder(
  upstream: string,
): Promise<{ readonly warder: WarderProcess; stop(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-conformance-'))
  writeFileSync(join(directory, 'warder.yaml'), policyFor(upstream))
  const warder = await startWarder({ directory, args: ['--port', '0'] })
  await claimOwner(directory, { email, password }).catch(async (error) => {
    await warder.stop()
    throw error
  })
  return {
    warder,
    async stop() {
      await warder.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
