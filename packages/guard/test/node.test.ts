import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { createGuard, protect, toNodeHandler } from '@warder/guard'
import { afterAll, describe, expect, it } from 'vitest'
import { call, issuer, policy, post, request, signer, start } from './fixture.ts'
import { denied, mcp, messageOf } from './notes-server.ts'

describe('node:http', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  const local = `${origin}/notes/mcp`
  const guard = createGuard({
    issuer,
    resource: local,
    server: 'notes',
    policy: () => policy,
    now: () => start,
    keys: { jwks: async () => ({ keys: [signer.jwk] }) },
    findUser: () => ({ names: ['owner'], groups: [] }),
  })
  const localToken = await signer.sign({ aud: local })
  let streaming = async (): Promise<Response> => new Response()
  const handler = toNodeHandler(
    protect(guard, (incoming) => (incoming.url.endsWith('/stream') ? streaming() : mcp.fetch(incoming))),
  )
  server.on('request', (incoming, outgoing) => {
    // A body parser in front of the guard, as somebody might mount one.
    if (incoming.url === '/parsed') incoming.resume().on('end', () => handler(incoming, outgoing))
    else handler(incoming, outgoing)
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  /** The status line that raw bytes are answered with. */
  const raw = (lines: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`))
      let text = ''
      socket.on('data', (data) => {
        text += data
      })
      socket.on('close', () => resolve(text.split('\r\n')[0] ?? ''))
      socket.on('error', reject)
    })
  const host = `Host: 127.0.0.1:${port}`
  const close = 'Connection: close'

  it('lists and calls pass over a real socket; connections do not carry authorization over', async () => {
    const send = async (bearer: string | undefined) =>
      (
        await fetch(
          post(call('search_notes'), { url: local, ...(bearer === undefined ? {} : { token: bearer }) }),
        )
      ).status
    expect([await send(localToken), await send(undefined), await send(localToken)]).toEqual([200, 401, 200])
    const { text } = await messageOf(
      await fetch(post(request('tools/list'), { url: local, token: localToken })),
    )
    expect(text).toContain('create_note')
    expect(text).not.toMatch(denied)
    expect((await fetch(`${origin}/.well-known/oauth-protected-resource/notes/mcp`)).status).toBe(200)
  })
  it('G30 two Authorization lines are refused, although Node keeps only the first', async () => {
    const get = ['GET /notes/mcp HTTP/1.1', host, close]
    expect(await raw([...get, `Authorization: Bearer ${localToken}`])).toContain(' 405 ')
    expect(
      await raw([...get, `Authorization: Bearer ${localToken}`, `Authorization: Bearer ${localToken}`]),
    ).toContain(' 401 ')
  })
  it.each([
    'GET http://127.0.0.1/notes/mcp HTTP/1.1',
    'GET /a/../notes/mcp HTTP/1.1',
    'GET /notes\\mcp HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'GET //evil/notes/mcp HTTP/1.1',
  ])('G40 the target of %j is refused, also with a token', async (line) => {
    expect(await raw([line, host, close, `Authorization: Bearer ${localToken}`])).toContain(' 400 ')
  })
  it('L14 two Host lines are refused, also equal ones; one is not', async () => {
    const get = ['GET /notes/mcp HTTP/1.1', host, close, `Authorization: Bearer ${localToken}`]
    for (const other of ['Host: evil.example', host]) expect(await raw([...get, other])).toContain(' 400 ')
    expect(await raw(get)).toContain(' 405 ')
  })
  it('L21 a method that no Request can have is 405, and no failure of ours', async () => {
    for (const method of ['TRACE', 'PUT'])
      expect(
        await raw([`${method} /notes/mcp HTTP/1.1`, host, close, `Authorization: Bearer ${localToken}`]),
      ).toContain(' 405 ')
  })
  it('G40 an upgrade is 401 like everything else', async () => {
    expect(
      await raw(['GET /notes/mcp HTTP/1.1', host, 'Connection: Upgrade, close', 'Upgrade: websocket']),
    ).toContain(' 401 ')
  })
  it('L25 a body without end is 413 at its limit, and its connection is closed', async () => {
    const head = [
      'POST /notes/mcp HTTP/1.1',
      host,
      `Authorization: Bearer ${localToken}`,
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
    ]
    const endless = ['Transfer-Encoding: chunked', '', '500000', 'x'.repeat(0x50_00_00)]
    // `raw` answers once the other side has closed: nobody here says that the body is over.
    expect(await raw([...head, ...endless])).toContain(' 413 ')
    const body = JSON.stringify(request('tools/list'))
    expect(await raw([...head, close, `Content-Length: ${body.length}`, '', body])).toContain(' 200 ')
  })
  it('G41 behind a body parser the guard refuses', async () => {
    const parsed = await fetch(post(call('search_notes'), { url: `${origin}/parsed`, token: localToken }))
    expect(parsed.status).toBe(500)
  })
  it.each([call('search_notes'), request('tools/list')])(
    'GW-10 a client that leaves ends the stream of the server: %j',
    async (message) => {
      const event = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })}\n\n`
      let cancelled = false
      const stream = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode(event)),
        cancel: () => {
          cancelled = true
        },
      })
      streaming = async () => new Response(stream, { headers: { 'content-type': 'text/event-stream' } })
      const leaving = new AbortController()
      const response = await fetch(post(message, { url: `${origin}/stream`, token: localToken }), {
        signal: leaving.signal,
      })
      await response.body!.getReader().read()
      expect(cancelled).toBe(false)
      leaving.abort()
      await expect.poll(() => cancelled).toBe(true)
    },
  )
})
