import { createClient, deviceWay, openMemory, readOpenableUrl } from '@warder/client'
import { createGuard, type GuardOptionsError } from '@warder/guard'
import { createUserFetch, findProxy, reachOf } from '@warder/outbound'
import { isLoopbackHost, Refusal } from '@warder/protocol'
import { describe, expect, test } from 'vitest'
import { checkConfidential } from '../src/client/check-headers.ts'
import { readConnectArguments } from '../src/client/connect-arguments.ts'
import { chooseWay } from '../src/client/way-choice.ts'
import { readInput } from '../src/command.ts'
import { connect } from '../src/commands/connect.ts'
import { protect } from '../src/commands/protect.ts'
import { checkThisMachine } from '../src/doctor/checks/this-machine.ts'
import type { Finding } from '../src/doctor/finding.ts'
import { readProtectOptions } from '../src/protect/read-options.ts'
import { doorChecks } from '../src/prove/door-checks.ts'
import type { Probe } from '../src/prove/probe.ts'

const here = ['localhost', 'LocalHost', 'app.localhost', 'a.b.localhost', '127.0.0.1', '127.0.0.2', '[::1]']
const elsewhere = [
  'localhost.example',
  'notlocalhost',
  '127.0.0.1.example',
  '128.0.0.1',
  '10.0.0.1',
  '0.0.0.0',
  '[::]',
  '[::2]',
  '[::ffff:7f00:1]',
]

const passes = (rule: () => unknown): boolean => {
  try {
    rule()
    return true
  } catch {
    return false
  }
}

const reasonOf = async (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error) => (error instanceof Refusal ? error.reason : undefined),
  )

const nowhere = async (): Promise<never> => {
  throw new Refusal('outbound.unreachable')
}

const unguarded = (resource: string): readonly string[] => {
  try {
    createGuard({ resource } as Parameters<typeof createGuard>[0])
    return []
  } catch (error) {
    return (error as GuardOptionsError).problems
  }
}

/** Everybody who asks whether a host is this computer, by what a user can tell of the answer. */
const askers: Readonly<Record<string, (host: string, url: string) => boolean | Promise<boolean>>> = {
  'isLoopbackHost, as a URL has it': (host) => isLoopbackHost(host),
  'isLoopbackHost, without brackets': (host) => isLoopbackHost(host.replace(/^\[|\]$/g, '')),
  'the client, of its server': (_, server) =>
    passes(() => createClient({ server, store: openMemory(), way: deviceWay({ show: () => {} }) }).close()),
  'the client, of what a browser opens': (_, url) => passes(() => readOpenableUrl(url)),
  'the guard': (_, resource) => !unguarded(resource).includes('resource must be https, or http on loopback'),
  'a proxy': (_, url) => findProxy(new URL(url), { http: 'http://proxy.example:1' }) === undefined,
  'the reach of a server': async (_, url) => (await reachOf(url, nowhere)) === 'loopback',
  'a token over http': async (_, url) =>
    (await reasonOf(createUserFetch()(url, { headers: { authorization: 'Bearer x' } }))) !== 'outbound.url',
  'headers and servers of a list': (_, url) => passes(() => checkConfidential(url)),
  'login --issuer': (_, issuer) =>
    passes(() => chooseWay({ switches: new Set(), options: { issuer } }, undefined, {})),
  'connect --host': (host) => {
    const input = readInput(connect, ['https://mcp.example/mcp', '--host', host])
    return passes(() => readConnectArguments(input)) && readConnectArguments(input).host === undefined
  },
  // Without TLS: elsewhere that alone is refused.
  'protect --host': (host) =>
    passes(() =>
      readProtectOptions(readInput(protect, ['--host', host, '--public-url', 'http://localhost:1'])),
    ),
  'protect --issuer': (_, url) => passes(() => readProtectOptions(readInput(protect, ['--issuer', url]))),
  doctor: (_, url) => {
    const told: Partial<Finding>[] = []
    checkThisMachine(url, {}, (finding) => told.push(finding))
    return told.every(({ check }) => check !== 'plain http')
  },
  prove: async (_, url) => {
    const transport = doorChecks.find(({ id }) => id === 'transport')
    return (await transport?.run({ url } as Probe))?.outcome !== 'failed'
  },
}

describe.each(Object.keys(askers))('CL-65 what is this computer: %s', (name) => {
  // A port at which nobody listens: whoever asks by connecting is told so at once.
  const ask = async (host: string): Promise<boolean | undefined> =>
    askers[name]?.(host, `http://${host}:1/mcp`)

  test.each(here)('%s is', async (host) => {
    expect(await ask(host)).toBe(true)
  })

  test.each(elsewhere)('%s is not', async (host) => {
    expect(await ask(host)).toBe(false)
  })
})
