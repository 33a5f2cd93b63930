import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../conformance/free-port.ts'
import { everything, startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { startDocumentHost } from './actors/document-host.ts'
import { startLyingNames } from './actors/lying-names.ts'
import { send } from './send.ts'

// The rows of group E try what the fetch for client documents refuses; here is that `warder protect` is given such a fetch.

const sample = ['--name', 'everything', '--', process.execPath, everything, 'stdio']

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'warder-fetch-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function start(options: Parameters<typeof startWarder>[0]): Promise<WarderProcess> {
  const warder = await startWarder(options)
  onTestFinished(async () => void (await warder.stop('SIGKILL')))
  return warder
}

/** The status of the page for a client that says to be described at this URL. */
async function authorize(origin: string, clientId: string, host: string): Promise<number> {
  const query = new URLSearchParams({ response_type: 'code', client_id: clientId })
  return (await send(`${origin}/authorize?${query}`, { method: 'GET', headers: { host } })).status
}

test('E30 a document at our own public name is never looked for, on whichever port', async () => {
  const names = await startLyingNames()
  onTestFinished(names.stop)
  // By what the name server says, it is at a public address: only that it is ours can keep the fetch from going there.
  const own = 'a-8-8-8-8.name.example'
  const port = String(await freePort())
  const warder = await start({
    directory: makeDirectory(),
    program: join(import.meta.dirname, 'actors/protect-among-enemies.ts'),
    args: ['--port', port, '--public-url', `https://${own}`, '--trust-proxy', ...sample],
    env: { LYING_NAMES: names.url },
  })
  const origin = `http://127.0.0.1:${port}`
  for (const clientId of [`https://${own}/client.json`, `https://${own}:${port}/client.json`])
    expect(await authorize(origin, clientId, own)).toBe(400)
  expect(names.wasAsked(own)).toBe(false)
  await expect.poll(() => warder.said().match(/is this server itself/g)?.length).toBe(2)
  const other = 'a-10-0-0-1.name.example'
  expect(await authorize(origin, `https://${other}/client.json`, own)).toBe(400)
  expect(names.wasAsked(other)).toBe(true)
})

test('E10 E14 as it is shipped, nothing is fetched from this computer', async () => {
  const directory = makeDirectory()
  const documents = await startDocumentHost(directory)
  onTestFinished(documents.stop)
  const { port } = new URL(`https://${documents.host}`)
  const ask = async ({ issuer }: WarderProcess, host: string): Promise<number> => {
    const clientId = `https://${host}:${port}/client.json`
    documents.serve('/client.json', {
      body: {
        client_id: clientId,
        client_name: 'Documented',
        redirect_uris: ['http://127.0.0.1:7777/callback'],
        token_endpoint_auth_method: 'none',
      },
    })
    return authorize(issuer, clientId, new URL(issuer).host)
  }
  const env = { DOCUMENT_HOST: documents.host, NODE_EXTRA_CA_CERTS: documents.ca }
  const shipped = await start({ directory, args: ['--port', '0', ...sample], env })
  for (const host of ['127.0.0.1', 'localhost']) expect([host, await ask(shipped, host)]).toEqual([host, 400])
  expect(documents.hits()).toBe(0)
  // The twin: where the fetch is allowed this one host, it goes there.
  const program = join(import.meta.dirname, '../e2e/protect-with-local-fetch.ts')
  await ask(
    await start({ directory: makeDirectory(), program, args: ['--port', '0', ...sample], env }),
    'localhost',
  )
  expect(documents.hits()).toBe(1)
})
