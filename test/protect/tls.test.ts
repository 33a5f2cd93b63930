import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everything, runWarder, startWarder } from '../e2e/warder-process.ts'

const sample = ['--name', 'everything', '--', process.execPath, everything, 'stdio']

describe('warder protect speaks TLS itself', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-tls-'))
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  const tls = ['--tls-cert', certFile, '--tls-key', keyFile]
  let ca: string

  beforeAll(async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      algorithm: 'sha256',
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
      ],
    })
    ca = cert
    writeFileSync(certFile, cert)
    writeFileSync(keyFile, key, { mode: 0o600 })
  })

  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('G37 reachable from other computers, under an https address that is its issuer and its resource', async () => {
    const port = await freePort()
    const issuer = `https://localhost:${port}`
    const warder = await startWarder({
      directory,
      args: ['--port', String(port), '--host', '0.0.0.0', '--public-url', issuer, ...tls, ...sample],
      env: { NODE_EXTRA_CA_CERTS: certFile },
    })
    try {
      expect([warder.issuer, warder.endpoint]).toEqual([issuer, `${issuer}/everything/mcp`])
      const metadata = await getJson(`${issuer}/.well-known/oauth-protected-resource/everything/mcp`, ca)
      expect(metadata).toMatchObject({ resource: warder.endpoint, authorization_servers: [issuer] })
      expect(warder.proof.length).toBeGreaterThan(0)
      expect(warder.proof.filter(({ outcome }) => outcome === 'failed')).toEqual([])
      // Plain HTTP gets no answer, and a client that does not know the certificate goes no further.
      await expect(fetch(issuer.replace('https:', 'http:'))).rejects.toThrow()
      await expect(fetch(issuer)).rejects.toThrow()
    } finally {
      expect(await warder.stop()).toBe(0)
    }
  })

  test('a key that others can read is one clear line, and nothing starts', async () => {
    chmodSync(keyFile, 0o604)
    const args = ['protect', '--port', '0', '--data', join(directory, 'other'), ...tls, ...sample]
    const { code, out, err } = await runWarder(directory, args)
    expect([code, out, err]).toEqual([
      1,
      '',
      `warder: others can read ${keyFile}. Put it right by: chmod o= ${keyFile}\n`,
    ])
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function getJson(url: string, ca: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    get(url, { ca }, (response) => {
      let body = ''
      response.on('data', (chunk) => (body += chunk))
      response.on('end', () => resolve(JSON.parse(body)))
    }).on('error', reject)
  })
}
