import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Client,
  clientCredentialsWay,
  createClient,
  openMemory,
  sdkAuthProvider,
  sdkFetch,
  sdkProvider,
} from '../../src/index.ts'
import { clientSecret, type ProtectedServer, startProtectedServer } from '../ways/protected-server.ts'

let server: ProtectedServer
let client: Client

beforeAll(async () => {
  server = await startProtectedServer({ dpop: true })
  client = createClient({
    server: server.url,
    store: openMemory(),
    way: clientCredentialsWay(),
    registration: { clientId: 'bound', clientSecret },
  })
})
afterAll(async () => {
  client?.close()
  await server?.stop()
})

test('DP-01 a token that is bound to a key is given to no transport that would send it as Bearer', async () => {
  await expect(sdkAuthProvider(client).token()).rejects.toMatchObject({ reason: 'client-key.unusable' })
  await expect(sdkProvider(client).tokens()).rejects.toMatchObject({ reason: 'client-key.unusable' })
  expect((await sdkFetch(client)(new URL(server.url), { method: 'GET' })).status).toBe(200)
})

test('what the SDK sets on a request arrives, and a body that cannot be sent twice is refused', async () => {
  const headers = new Headers({ accept: 'application/json' })
  expect((await sdkFetch(client)(server.url, { method: 'POST', headers, body: '{}' })).status).toBe(200)
  await expect(sdkFetch(client)(server.url, { method: 'POST', body: new Blob(['{}']) })).rejects.toThrow(
    TypeError,
  )
})

test('an aborted request ends with the reason of its signal', async () => {
  const signal = AbortSignal.abort(new Error('the host is gone'))
  await expect(sdkFetch(client)(server.url, { signal })).rejects.toThrow('the host is gone')
})

test('finishAuth of the SDK has nothing to finish, and says so', () => {
  expect(() => sdkProvider(client).codeVerifier()).toThrow(/send the request again/)
})
