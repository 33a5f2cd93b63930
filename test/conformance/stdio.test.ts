import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signIn } from '../protect/scripted-sign-in.ts'
import { startInjector } from './injector.ts'
import { readScored } from './read-scored.ts'
import { runSuite } from './run-suite.ts'
import { email, password, startBehindWarder } from './start-behind-warder.ts'

/**
 * What the stdio host does not carry yet: a server that asks its client for something, be it by a request of its own or by an
 * answer that requires input. A scenario that begins to pass must leave this list.
 */
const serverAsks = {
  '2025-11-25': [
    'tools-call-sampling',
    'tools-call-elicitation',
    'elicitation-sep1034-defaults',
    'elicitation-sep1330-enums',
  ],
  '2026-07-28': [
    'server-stateless',
    'input-required-result-basic-elicitation',
    'input-required-result-basic-sampling',
    'input-required-result-basic-list-roots',
    'input-required-result-request-state',
    'input-required-result-multiple-input-requests',
    'input-required-result-multi-round',
    'input-required-result-missing-input-response',
    'input-required-result-non-tool-request',
    'input-required-result-result-type',
    'input-required-result-tampered-state',
    'input-required-result-capability-check',
    'input-required-result-ignore-extra-params',
  ],
} as const

describe('the official conformance suite against a stdio command that Warder hosts', () => {
  let behind: Awaited<ReturnType<typeof startBehindWarder>>
  let injector: Awaited<ReturnType<typeof startInjector>>

  beforeAll(async () => {
    const program = join(import.meta.dirname, 'everything-stdio.ts')
    behind = await startBehindWarder(`run: ${JSON.stringify([process.execPath, program])}`)
    const { endpoint, issuer } = behind.warder
    const { tokens } = await signIn({ issuer, resource: endpoint, email, password })
    injector = await startInjector(endpoint, tokens.access_token)
  })
  afterAll(async () => {
    injector?.stop()
    await behind.stop()
  })

  test.each(['2025-11-25', '2026-07-28'] as const)(
    'revision %s: every scored scenario passes, except where the server asks the client',
    async (revision) => {
      const { checks } = await runSuite(['server', '--url', injector.url, '--requirements', revision])
      const failed = readScored(revision).filter((name) =>
        (checks.get(name) ?? ['absent FAILURE']).some((check) => !check.endsWith(' SUCCESS')),
      )
      expect(failed).toEqual(serverAsks[revision])
    },
  )

  test('of 2026-07-28, the part of server-stateless that fails is the asking alone', async () => {
    const args = ['server', '--url', injector.url, '--spec-version', '2026-07-28']
    const { checks } = await runSuite([...args, '--scenario', 'server-stateless'])
    const all = checks.get('server-stateless') ?? []
    expect(all.filter((check) => !check.endsWith(' SUCCESS'))).toEqual([
      'sep-2575-server-rejects-undeclared-capability FAILURE',
      'sep-2575-missing-capability-http-400 FAILURE',
      'sep-2575-http-server-no-independent-requests-on-stream FAILURE',
    ])
    expect(all).toHaveLength(30)
  })
})
