import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWarder } from '../e2e/warder-process.ts'
import { type HostileUpstream, startHostileUpstream } from './actors/hostile-upstream.ts'

describe('an upstream over https with a certificate that nobody vouches for', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-certificate-'))
  let upstream: HostileUpstream

  beforeAll(async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    })
    writeFileSync(join(directory, 'ca.pem'), cert)
    upstream = await startHostileUpstream({ cert, key })
  })
  afterAll(async () => {
    await upstream.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const start = (env: Readonly<Record<string, string>>) =>
    startWarder({ directory, args: ['--port', '0', '--name', 'notes', '--url', upstream.url], env })

  test('O11 is refused at the start, and nothing is asked of it', async () => {
    await expect(start({})).rejects.toThrow(/notes does not answer as an MCP server/)
    expect(upstream.hits()).toBe(0)
  })

  test('O11 an environment in which every certificate counts is refused, in words that say what to do', async () => {
    const all = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
    await expect(start(all)).rejects.toThrow(/NODE_TLS_REJECT_UNAUTHORIZED=0 .* NODE_EXTRA_CA_CERTS/)
    expect(upstream.hits()).toBe(0)
  })

  test('O11 with its authority named it is taken', async () => {
    const warder = await start({ NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') })
    expect(warder.tools.map(({ name }) => name)).toContain('read_note')
    expect(upstream.hits()).toBeGreaterThan(0)
    expect(await warder.stop()).toBe(0)
  })
})
