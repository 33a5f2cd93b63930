import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, request as httpRequest, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type Store } from '@warder/store'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { generate } from 'selfsigned'
import { browserPath } from '../e2e/person.ts'
import { everything, runInTerminal, runWarder, startWarder } from '../e2e/warder-process.ts'

export const owner = { email: 'owner@example.com', password: 'correct horse battery' }
export const bob = { email: 'bob@example.com', password: 'another long password' }

const run = `[${JSON.stringify(process.execPath)}, ${JSON.stringify(everything)}, stdio]`
const policy = `
version: 1
servers:
  notes:
    run: ${run}
    scopes:
      notes:read: { title: Read notes, basic: true }
      notes:write: { title: Change notes }
      notes:env: { title: Read the environment of the server, risk: high }
    tools:
      - { match: echo, scopes: [notes:read] }
      - { match: get-sum, scopes: [notes:write] }
      - { match: get-env, scopes: [notes:env] }
  files:
    run: ${run}
    scopes: { files:read: { title: Read files, basic: true } }
    tools: [{ match: echo, scopes: [files:read] }]
access:
  - { who: { user: owner }, client: any, may: [notes:read, notes:write, notes:env, files:read] }
  - { who: { user: ${bob.email} }, client: any, may: [notes:read] }
`

/** What another origin on the same computer saw of a request. */
export interface SeenRequest {
  readonly url: string
  readonly cookie: string | undefined
}

/** One Warder and one browser for many tests, with an origin that is not ours beside it. */
export interface Scene {
  readonly issuer: string
  readonly notes: string
  readonly files: string
  /** The same database, opened beside Warder. */
  readonly store: Store
  /** Complaints of the browser about the content security policy, on any page of ours. */
  readonly violations: readonly string[]
  /** A browser profile of its own. */
  newProfile(): Promise<BrowserContext>
  /** A server on another port: the callback of clients, and whatever page an attacker puts there. */
  readonly elsewhere: {
    /** `localhost` is the same site as a loopback Warder, `127.0.0.1` is another one. */
    url(path: string, host?: 'localhost' | '127.0.0.1'): string
    serve(path: string, html: string): void
    readonly seen: readonly SeenRequest[]
  }
  register(redirectUri?: string): Promise<string>
  authorizeUrl(clientId: string, overrides?: Readonly<Record<string, string>>): string
  stop(): Promise<void>
}

export async function openScene({ secure }: { readonly secure: boolean }): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-browser-'))
  writeFileSync(join(directory, 'warder.yaml'), policy)
  const pages = new Map<string, string>()
  const seen: SeenRequest[] = []
  const answer: Parameters<typeof createHttpServer>[1] = (req, res) => {
    seen.push({ url: req.url ?? '', cookie: req.headers.cookie })
    const page = pages.get((req.url ?? '').split('?')[0] ?? '') ?? '<p>callback received</p>'
    res.setHeader('content-type', 'text/html').end(page)
  }
  const certificate = await makeCertificate()
  const other = secure ? createTlsServer(certificate, answer) : createHttpServer(answer)
  const otherPort = await listen(other)
  const inside = await freePort()
  const front = secure ? makeTlsFront(certificate, inside) : undefined
  const scheme = secure ? 'https' : 'http'
  const issuer = `${scheme}://localhost:${front === undefined ? inside : await listen(front)}`
  const warder = await startWarder({
    directory,
    args: ['--port', String(inside), ...(secure ? ['--public-url', issuer] : [])],
  })
  const data = join(directory, 'data')
  const browser: Browser = await chromium.launch({
    executablePath: browserPath ?? '',
    args: ['--no-sandbox'],
  })
  const violations: string[] = []
  const newProfile = async (): Promise<BrowserContext> => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    context.setDefaultTimeout(10_000)
    context.on('console', (message) => {
      const from = message.location().url
      if (/content security policy/i.test(message.text()) && from.startsWith(issuer))
        violations.push(message.text())
    })
    return context
  }
  await becomeOwner(await newProfile(), await runInTerminal(directory, ['owner-link', '--data', data]))
  await runWarder(directory, ['user', 'add', bob.email, '--data', data], `${bob.password}\n`)
  const store = await openStore({ file: join(data, 'warder.sqlite') })
  const callback = `${scheme}://localhost:${otherPort}/callback`
  const machine = await newProfile()

  return {
    issuer,
    notes: `${issuer}/notes/mcp`,
    files: `${issuer}/files/mcp`,
    store,
    violations,
    newProfile,
    elsewhere: {
      url: (path, host = 'localhost') => `${scheme}://${host}:${otherPort}${path}`,
      serve: (path, html) => void pages.set(path, html),
      seen,
    },
    async register(redirectUri = callback) {
      const made = await machine.request.post(`${issuer}/register`, {
        data: { client_name: 'Browser test', redirect_uris: [redirectUri] },
      })
      return ((await made.json()) as { client_id: string }).client_id
    },
    authorizeUrl: (clientId, overrides = {}) =>
      `${issuer}/authorize?${new URLSearchParams({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: callback,
        state: 'the-state',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
        resource: `${issuer}/notes/mcp`,
        scope: 'notes:read',
        ...overrides,
      })}`,
    async stop() {
      await browser.close()
      await store.close()
      await warder.stop()
      for (const server of [other, front]) server?.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Fills in the sign-in form that the page shows. */
export async function logIn(page: Page, who: { email: string; password: string } = owner): Promise<void> {
  await page.getByLabel('E-mail').fill(who.email)
  await page.getByLabel('Password').fill(who.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForLoadState()
}

/** Presses a button of the consent page and waits for where that leads. */
export async function decide(page: Page, decision: 'allow' | 'deny'): Promise<void> {
  // As a hand would: the pointer comes over the page first, and Allow takes clicks a moment later.
  await page.locator('main').hover()
  await page.locator(`button[name=decision][value=${decision}]`).click()
  await page.waitForLoadState()
}

async function becomeOwner(profile: BrowserContext, said: string): Promise<void> {
  const page = await profile.newPage()
  await page.goto(/https?:\/\/\S+\/owner\/\S+/.exec(said)?.[0] ?? '')
  await page.locator('input[name=email]').fill(owner.email)
  for (const field of await page.locator('input[type=password]').all()) await field.fill(owner.password)
  await page.getByRole('button').click()
  await page.getByRole('heading', { name: 'You are the owner' }).waitFor()
  await profile.close()
}

async function makeCertificate(): Promise<{ cert: string; key: string }> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  return { cert, key }
}

/** The proxy that speaks TLS in front of Warder, as an operator has one. */
function makeTlsFront(certificate: { cert: string; key: string }, port: number): Server {
  return createTlsServer(certificate, (req, res) => {
    const onward = httpRequest(
      { host: '127.0.0.1', port, method: req.method, path: req.url, headers: req.headers },
      (back) => {
        res.writeHead(back.statusCode ?? 502, back.headers)
        back.pipe(res)
      },
    )
    onward.on('error', () => res.destroy())
    req.pipe(onward)
  })
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const server = createHttpServer()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}
