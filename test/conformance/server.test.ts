import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signIn } from '../protect/scripted-sign-in.ts'
import { startEverythingServer } from './everything-server.ts'
import { startInjector } from './injector.ts'
import { readScored } from './read-scored.ts'
import { type Run, runSuite } from './run-suite.ts'
import { email, password, startBehindWarder } from './start-behind-warder.ts'

/** Server scenarios of the suite's frozen sets, and those that it runs besides without scoring them. Extensions are left out. */
const sets = [
  { revision: '2025-11-25', scored: 30, besides: ['server-session-lifecycle', 'json-schema-2020-12'] },
  {
    revision: '2026-07-28',
    scored: 37,
    besides: ['http-header-validation', 'http-custom-header-server-validation', 'json-schema-2020-12'],
  },
] as const

describe('the official conformance suite, server scenarios: the same checks with Warder in front as without', () => {
  let direct: Awaited<ReturnType<typeof startEverythingServer>>
  let behind: Awaited<ReturnType<typeof startBehindWarder>>
  let injector: Awaited<ReturnType<typeof startInjector>>

  beforeAll(async () => {
    direct = await startEverythingServer()
    behind = await startBehindWarder(`url: ${direct.url}`)
    const { endpoint, issuer } = behind.warder
    const { tokens } = await signIn({ issuer, resource: endpoint, email, password })
    injector = await startInjector(endpoint, tokens.access_token)
  })
  afterAll(async () => {
    injector?.stop()
    await behind?.stop()
    await direct?.stop()
  })

  describe.each(sets)('revision $revision', ({ revision, scored, besides }) => {
    let whole: Run
    let scenarios: string[]

    beforeAll(async () => {
      whole = await runSuite(['server', '--url', direct.url, '--requirements', revision])
      scenarios = readScored(revision)
    })

    test('without Warder every scored scenario passes', () => {
      expect(scenarios).toHaveLength(scored)
      const failed = [...scenarios, ...besides].filter((name) =>
        (whole.checks.get(name) ?? ['absent FAILURE']).some((check) => !check.endsWith(' SUCCESS')),
      )
      expect([whole.exitCode, failed]).toEqual([0, []])
    })

    test('with Warder in front each one, run by itself, gives the same checks', {
      timeout: 300_000,
    }, async () => {
      const names = [...scenarios, ...besides]
      const through = new Map<string, Pick<Run, 'exitCode'> & { checks: readonly string[] | undefined }>()
      const work = async (): Promise<void> => {
        for (let name = names.shift(); name !== undefined; name = names.shift()) {
          const args = ['server', '--url', injector.url, '--scenario', name, '--spec-version', revision]
          const { exitCode, checks } = await runSuite(args)
          through.set(name, { exitCode, checks: checks.get(name) })
        }
      }
      const expected = new Map(names.map((name) => [name, { exitCode: 0, checks: whole.checks.get(name) }]))
      await Promise.all([work(), work(), work()])
      expect(Object.fromEntries(through)).toEqual(Object.fromEntries(expected))
    })
  })
})
