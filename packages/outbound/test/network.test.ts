import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { generate } from 'selfsigned'
import { afterAll, describe, expect, test } from 'vitest'
import { createOutbound, createUserFetch, InvalidNetwork, type Network, readNetwork } from '../src/index.ts'
import { serveSecurely } from './secure-server.ts'
import { selfSigned } from './self-signed.ts'

const root = mkdtempSync(join(tmpdir(), 'warder-network-'))
afterAll(() => rmSync(root, { recursive: true }))

const fileWith = (name: string, text: string): string => {
  const file = join(root, name)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

const messageOf = (env: Record<string, string>): string => {
  try {
    return `read: ${Object.keys(readNetwork(env)).join()}`
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidNetwork)
    return (error as Error).message
  }
}

describe('proxies of the environment', () => {
  test.each([
    [{}, undefined],
    [{ HTTPS_PROXY: '' }, undefined],
    [{ HTTPS_PROXY: ' ' }, undefined],
    [{ HTTPS_PROXY: 'http://p:3128' }, { https: 'http://p:3128/' }],
    [{ HTTPS_PROXY: ' http://p:3128 ' }, { https: 'http://p:3128/' }],
    // Without a scheme in front it is http, whatever comes later.
    [{ HTTPS_PROXY: '10.0.0.1:3128/a://b' }, { https: 'http://10.0.0.1:3128/a://b' }],
    [{ https_proxy: 'p:3128', HTTPS_PROXY: 'http://q' }, { https: 'http://p:3128/' }],
    [
      { ALL_PROXY: 'http://p', NO_PROXY: 'a,b' },
      { http: 'http://p/', https: 'http://p/', no: 'a,b' },
    ],
    [
      { HTTP_PROXY: 'https://p', no_proxy: '*' },
      { http: 'https://p/', no: '*' },
    ],
    [{ NO_PROXY: '*' }, undefined],
    // httpoxy: within CGI, HTTP_PROXY is the header `Proxy` of a request.
    [{ HTTP_PROXY: 'http://evil', REQUEST_METHOD: 'GET' }, undefined],
  ])('%j', (env, proxies) => {
    expect(readNetwork(env).proxies).toEqual(proxies)
  })

  test.each(['socks5://user:secret@p:1080', 'http://', 'http://user:%zz@p', 'ftp://p'])(
    '%s is refused by the name of its variable, without its password',
    (value) => {
      const message = messageOf({ HTTPS_PROXY: value })
      expect(message).toMatch(/^HTTPS_PROXY is not/)
      expect(message).not.toContain('secret')
    },
  )
})

/** Node writes the same certificate with other line ends once somebody has set the default ones. */
const fingerprintsOf = (certificates: readonly string[]): string[] =>
  certificates.map((text) => new X509Certificate(text).fingerprint256)

describe('whom TLS trusts', () => {
  const own = selfSigned('as.example')
  const fetchWith = (network: Network, port: number): Promise<unknown> =>
    createOutbound({ network, reach: 'loopback', resolve: async () => [{ address: '127.0.0.1' }] })(
      `https://as.example:${port}/`,
      { accept: '*/*', maxBytes: 100 },
    ).then(
      ({ status }) => status,
      (error: { reason: string }) => error.reason,
    )

  test.each(['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'])(
    'an authority of %s is trusted beside those of Node and the system; twin: without it, it is not',
    async (variable) => {
      await using server = await serveSecurely(own)
      const network = readNetwork({ [variable]: fileWith('ca.pem', `own\n${own.cert}`) })
      expect(fingerprintsOf(network.ca ?? [])).toEqual(
        expect.arrayContaining(fingerprintsOf(getCACertificates('bundled').slice(0, 5))),
      )
      expect(await fetchWith(network, server.port)).toBe(200)
      expect(await fetchWith(readNetwork({}), server.port)).toBe('outbound.unreachable')
    },
  )

  test('a file that is not there, or has no certificate, is an error that names the variable', () => {
    expect(messageOf({ SSL_CERT_FILE: join(root, 'none.pem') })).toMatch(/^SSL_CERT_FILE: .*ENOENT/)
    expect(messageOf({ NODE_EXTRA_CA_CERTS: fileWith('empty.pem', 'x') })).toMatch(
      /^NODE_EXTRA_CA_CERTS: no certificate/,
    )
  })
})

describe('the client certificate', async () => {
  const authority = await generate([{ name: 'commonName', value: 'authority' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  })
  const client = await generate([{ name: 'commonName', value: 'the client' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: { key: authority.private, cert: authority.cert },
  })
  const server = selfSigned('mcp.example')
  const files = {
    cert: fileWith('client.pem', client.cert),
    key: fileWith('client.key', client.private),
    ca: fileWith('server.pem', server.cert),
  }

  test.each(['WARDER_CLIENT', 'CLAUDE_CODE_CLIENT'])(
    '%s_CERT and _KEY are presented to a server that asks, by both fetches; twin: without them it refuses',
    async (prefix) => {
      await using asking = await serveSecurely({
        ...server,
        ca: authority.cert,
        requestCert: true,
        rejectUnauthorized: true,
      })
      const url = `https://mcp.example:${asking.port}/`
      const env = { SSL_CERT_FILE: files.ca }
      const both = async (network: Network): Promise<unknown[]> => {
        const outbound = createOutbound({
          network,
          reach: 'loopback',
          resolve: async () => [{ address: '127.0.0.1' }],
        })(url, { accept: '*/*', maxBytes: 100 })
        const local = createUserFetch({
          ...network,
          ca: [selfSignedForLocalhost.cert],
        })(`https://localhost:${askingLocally.port}/`, {})
        return await Promise.all(
          [outbound, local].map((answered) =>
            answered.then(
              ({ status }) => status,
              (error) => error.reason,
            ),
          ),
        )
      }
      const selfSignedForLocalhost = selfSigned('localhost')
      await using askingLocally = await serveSecurely({
        ...selfSignedForLocalhost,
        ca: authority.cert,
        requestCert: true,
        rejectUnauthorized: true,
      })
      expect(await both(readNetwork(env))).toEqual(['outbound.unreachable', 'outbound.unreachable'])
      const network = readNetwork({ ...env, [`${prefix}_CERT`]: files.cert, [`${prefix}_KEY`]: files.key })
      expect(await both(network)).toEqual([200, 200])
      expect([...asking.clients, ...askingLocally.clients]).toEqual(['the client', 'the client'])
    },
  )

  test('a key under a passphrase opens with it and with no other', async () => {
    const sealed = await generate([{ name: 'commonName', value: 'x' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      passphrase: 'the passphrase',
    })
    const env = {
      CLAUDE_CODE_CLIENT_CERT: fileWith('sealed.pem', sealed.cert),
      CLAUDE_CODE_CLIENT_KEY: fileWith('sealed.key', sealed.private),
    }
    expect(messageOf({ ...env, CLAUDE_CODE_CLIENT_KEY_PASSPHRASE: 'the passphrase' })).toContain(
      'certificate',
    )
    expect(messageOf({ ...env, CLAUDE_CODE_CLIENT_KEY_PASSPHRASE: 'wrong' })).toMatch(/do not fit together/)
  })

  test('half a certificate, or one with the key of another, is an error', () => {
    expect(messageOf({ WARDER_CLIENT_CERT: files.cert })).toMatch(/only of use together/)
    const other = fileWith('other.key', selfSigned('x').key)
    expect(messageOf({ WARDER_CLIENT_CERT: files.cert, WARDER_CLIENT_KEY: other })).toMatch(/do not fit/)
  })
})
