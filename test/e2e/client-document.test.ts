import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CallbackListener, listenForCallback } from './callback-listener.ts'
import { createMcpClient } from './mcp-client.ts'
import { browserPath, createPerson, type Person } from './person.ts'
import { everything, runInTerminal, startWarder, type WarderProcess } from './warder-process.ts'

describe.skipIf(browserPath === undefined)(
  'a client that names its metadata document (skipped only where no Chromium is installed)',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'warder-document-'))
    let documents: Server
    let documentUrl: string
    let fetched = 0
    let callback: CallbackListener
    let person: Person
    let warder: WarderProcess

    beforeAll(async () => {
      callback = await listenForCallback()
      const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
      })
      writeFileSync(join(directory, 'ca.pem'), cert)
      documents = createServer({ cert, key }, (req, res) => {
        if (req.url !== '/client.json') return void res.writeHead(404).end()
        fetched += 1
        res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=3600' })
        res.end(
          JSON.stringify({
            client_id: documentUrl,
            client_name: 'Documented',
            redirect_uris: [callback.url],
            token_endpoint_auth_method: 'none',
          }),
        )
      })
      await new Promise<void>((resolve) => documents.listen(0, '127.0.0.1', resolve))
      const host = `localhost:${(documents.address() as AddressInfo).port}`
      documentUrl = `https://${host}/client.json`
      warder = await startWarder({
        directory,
        program: join(import.meta.dirname, 'protect-with-local-fetch.ts'),
        args: ['--port', '0', '--name', 'everything', '--', process.execPath, everything, 'stdio'],
        env: { DOCUMENT_HOST: host, NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') },
      })
      person = await createPerson({ email: 'owner@example.com', password: 'correct horse battery' })
      const said = await runInTerminal(directory, ['owner-link', '--data', join(directory, 'data')])
      await person.becomeOwner(/http:\/\/\S+\/owner\/\S+/.exec(said)?.[0] ?? '')
    })

    afterAll(async () => {
      await person?.leave()
      await warder?.stop()
      callback?.close()
      documents?.close()
      rmSync(directory, { recursive: true, force: true })
    })

    test('AS-20 AS-24 signs in by document, without registration; the document is fetched once and cached', async () => {
      for (const attempt of [1, 2]) {
        const mcp = createMcpClient({
          endpoint: warder.endpoint,
          callback,
          openBrowser: (url) => person.signIn(url, { decision: 'allow' }),
          clientMetadataUrl: documentUrl,
        })
        const client = await mcp.connect()
        expect(mcp.visited[0]?.searchParams.get('client_id')).toBe(documentUrl)
        expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo')
        await client.close()
        expect([attempt, fetched]).toEqual([attempt, 1])
      }
    })

    test('AS-26 E26 consent names the document host, and warns that the answer goes to this computer', async () => {
      const page = await person.context.newPage()
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: documentUrl,
        redirect_uri: callback.url,
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
        resource: warder.endpoint,
      })
      await page.goto(`${warder.issuer}/authorize?${query}`)
      await page.getByLabel('E-mail').fill('owner@example.com')
      await page.getByLabel('Password').fill('correct horse battery')
      await page.getByRole('button', { name: 'Sign in' }).click()
      const text = await page.locator('body').textContent()
      expect(text).toContain('Documented')
      expect(text).toContain('this computer')
      await page.close()
    })

    test('E01 E31 a document that cannot be fetched is a page that names the URL', async () => {
      const missing = documentUrl.replace('client.json', 'missing.json')
      const page = await person.context.newPage()
      const answer = await page.goto(
        `${warder.issuer}/authorize?${new URLSearchParams({ response_type: 'code', client_id: missing, redirect_uri: callback.url })}`,
      )
      expect(answer?.status()).toBe(400)
      expect(await page.locator('body').textContent()).toContain(missing)
      await page.close()
    })
  },
)
