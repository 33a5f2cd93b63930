import {
  createHmac,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SigningKey, TokenSpec } from '../row.ts'

/** An authorization server whose keys are in our hands: it signs whatever a row wants. */
export interface PlayedIssuer {
  readonly url: string
  /** A token for this resource, good but for what the spec says. */
  mint(resource: string, spec: TokenSpec): string
  /** Shows one more key from now on. */
  rotate(): void
  keyFetches(): number
  stop(): Promise<void>
}

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export async function startPlayedIssuer(): Promise<PlayedIssuer> {
  const pairs = {
    issuer: elliptic(),
    'issuer rsa': generateKeyPairSync('rsa', { modulusLength: 2048 }),
    rotated: elliptic(),
    attacker: elliptic(),
  }
  // So that a token without a key id fits several.
  const spare = elliptic()
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  let keyFetches = 0
  let rotated = false
  const shownKeys = (): JsonWebKey[] => [
    jwk(pairs.issuer, 'one', 'ES256'),
    jwk(pairs['issuer rsa'], 'two', 'RS256'),
    jwk(spare, 'spare', 'ES256'),
    ...(rotated ? [jwk(pairs.rotated, 'three', 'ES256')] : []),
    // No key to trust a signature by: RFC 8725 section 3.5.
    jwk(weak, 'weak', 'RS256'),
  ]
  const server = createServer((req, res) => {
    res.setHeader('content-type', 'application/json')
    const isMetadata = req.url?.startsWith('/.well-known/') === true
    if (req.url === '/keys') {
      keyFetches += 1
      res.end(JSON.stringify({ keys: shownKeys() }))
    } else if (isMetadata) res.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }))
    else res.writeHead(404).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url,
    mint(resource, { claims, header, key = 'issuer', signature }) {
      const now = Math.floor(Date.now() / 1000)
      const payload = members({
        iss: url,
        sub: 'alice',
        aud: resource,
        client_id: 'some-client',
        scope: 'notes:read',
        jti: randomUUID(),
        iat: now,
        exp: now + 600,
        ...claims,
      })
      const head = members({ ...headerFor(key), typ: 'at+jwt', ...header })
      const input = `${encode(head)}.${encode(payload)}`
      return `${input}.${mangle(signWith(input, key, pairs, head), signature).toString('base64url')}`
    },
    rotate() {
      rotated = true
    },
    keyFetches: () => keyFetches,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const elliptic = (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' })

const jwk = ({ publicKey }: Pair, kid: string, alg: string): JsonWebKey => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
  alg,
  use: 'sig',
})

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const members = (all: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))

function headerFor(key: SigningKey): Record<string, unknown> {
  if (key === 'issuer rsa') return { alg: 'RS256', kid: 'two' }
  if (key === 'rotated') return { alg: 'ES256', kid: 'three' }
  if (key.startsWith('public ')) return { alg: 'HS256', kid: 'two' }
  return { alg: 'ES256', kid: 'one' }
}

type Pairs = Readonly<Record<'issuer' | 'issuer rsa' | 'rotated' | 'attacker', Pair>>

function signWith(
  input: string,
  key: SigningKey,
  pairs: Pairs,
  head: Readonly<Record<string, unknown>>,
): Buffer {
  if (key === 'issuer rsa') return sign('sha256', Buffer.from(input), pairs['issuer rsa'].privateKey)
  if (key === 'issuer' || key === 'rotated' || key === 'attacker')
    return sign('sha256', Buffer.from(input), {
      key: pairs[key].privateKey,
      dsaEncoding: 'ieee-p1363',
    })
  const digest = { HS384: 'sha384', HS512: 'sha512' }[String(head['alg'])] ?? 'sha256'
  return createHmac(digest, publicBytes(key, pairs['issuer rsa'].publicKey)).update(input).digest()
}

/** What a careless verifier could take for the secret of an HMAC. */
function publicBytes(key: SigningKey, rsa: KeyObject): Buffer {
  const pem = rsa.export({ type: 'spki', format: 'pem' }).toString()
  const plain = rsa.export({ format: 'jwk' })
  if (key === 'public der') return rsa.export({ type: 'spki', format: 'der' })
  if (key === 'public jwk') return Buffer.from(JSON.stringify(plain))
  if (key === 'public modulus') return Buffer.from(String(plain.n), 'base64url')
  const before = { 'public pem after a space': ' ', 'public pem after a newline': '\n' }[String(key)] ?? ''
  return Buffer.from(`${before}${pem}`)
}

function mangle(bytes: Buffer, how: TokenSpec['signature']): Buffer {
  if (how === 'empty') return Buffer.alloc(0)
  if (how === 'truncated') return bytes.subarray(0, -1)
  if (how === 'zero') return Buffer.alloc(64)
  if (how === 'over') return Buffer.alloc(64, 0xff)
  if (how === 'der')
    return Buffer.concat([Buffer.from([0x30, 0x44, 0x02, 0x20]), bytes.subarray(0, 32), bytes])
  return bytes
}
