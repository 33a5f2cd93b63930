import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type OutgoingHttpHeaders, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthorizationServer } from '@warder/authorization-server'
import { readPolicy } from '@warder/policy'
import { openStore } from '@warder/store'
import { afterEach, describe, expect, test } from 'vitest'
import { serve } from '../src/protect/serve.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

/** The real authorization server behind the real port; no MCP server. Answers its address. */
async function startDoor(trustProxy: boolean): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-door-'))
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }))
  const store = await openStore({ file: join(directory, 'warder.db') })
  cleanUps.push(() => store.close())
  const door: Server = createServer()
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => new Promise<void>((resolve) => door.close(() => resolve())))
  const issuer = `http://localhost:${(door.address() as AddressInfo).port}`
  const policy = readPolicy('version: 1\nservers: { notes: { url: http://127.0.0.1:1/mcp } }\naccess: []\n')
  const authorizationServer = await createAuthorizationServer({
    issuer,
    store,
    policy: () => policy,
    resources: () => [],
    fetch: () => Promise.reject(new Error('nothing is there')),
    secret: new Uint8Array(randomBytes(32)),
    now: () => 0,
  })
  const gateway = { handle: () => false } as never
  door.on(
    'request',
    serve({ publicUrl: issuer, gateway, authorizationServer, ready: async () => {}, trustProxy }),
  )
  return issuer
}

/** Registers a client and answers the status; the header may be sent twice. */
function register(issuer: string, forwarded: string | readonly string[] | undefined): Promise<number> {
  const { port, host } = new URL(issuer)
  const body = JSON.stringify({ client_name: 'x', redirect_uris: ['http://127.0.0.1/cb'] })
  const headers: OutgoingHttpHeaders = {
    host,
    'content-type': 'application/json',
    ...(forwarded === undefined ? {} : { 'x-forwarded-for': [forwarded].flat() }),
  }
  return new Promise((resolve, reject) => {
    request(
      { host: '127.0.0.1', port, path: '/register', method: 'POST', headers, agent: false },
      (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
      },
    )
      .on('error', reject)
      .end(body)
  })
}

/** How many of 40 registrations were taken; an address may make 30. */
async function countTaken(
  issuer: string,
  forwarded: (at: number) => string | readonly string[] | undefined,
): Promise<number> {
  let taken = 0
  for (let at = 0; at < 40; at += 1) if ((await register(issuer, forwarded(at))) === 201) taken += 1
  return taken
}

describe('U02 whose request counts for whom', () => {
  test.each<[string, boolean, (at: number) => string | readonly string[] | undefined, number]>([
    ['no proxy: what is said about forwarding is not believed', false, (at) => `203.0.113.${at}`, 30],
    ['a proxy: what the proxy says counts', true, (at) => `203.0.113.${at}`, 40],
    ['a proxy: what the sender wrote before it does not', true, (at) => `203.0.113.${at}, 198.51.100.7`, 30],
    ['a proxy: nor in a header of its own', true, (at) => [`203.0.113.${at}`, '198.51.100.7'], 30],
    ['a proxy that writes the port too', true, (at) => `198.51.100.7:${1024 + at}`, 30],
    ['a proxy that writes the port of IPv6 too', true, (at) => `[2001:db8::7]:${1024 + at}`, 30],
    ['addresses of one IPv6 network', true, (at) => `2001:db8:0:7::${at.toString(16)}`, 30],
    ['what is no address counts for the proxy itself', true, (at) => `198.51.100.7, unknown-${at}`, 30],
    ['a proxy that says nothing', true, () => undefined, 30],
  ])('%s', async (_name, trustProxy, forwarded, taken) => {
    expect(await countTaken(await startDoor(trustProxy), forwarded)).toBe(taken)
  })
})
