import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type SessionRemote,
  sendJson,
  startRemote,
  startSessionRemote,
} from '../../packages/bridge/test/connect/remote.ts'
import { isAlive } from '../../packages/bridge/test/is-alive.ts'
import { warderProgram } from '../e2e/warder-process.ts'
import { connectCommand, startHost, startProcess } from './hosted-bridge.ts'
import { startSdkProtected } from './sdk-protected.ts'

const hello = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'host', version: '1' } },
}
const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' }
const slow = {
  jsonrpc: '2.0',
  id: 3,
  method: 'tools/call',
  params: { name: 'slow', arguments: { ms: 60_000 } },
}
const patience = { timeout: 30_000 }
const canary = 'canary-token-7f3a'

let directory: string
let remote: SessionRemote
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'warder-life-'))
  remote = await startSessionRemote()
})
afterAll(async () => {
  await remote.close()
  rmSync(directory, { recursive: true, force: true })
})

const withToken = (...args: string[]) =>
  connectCommand(
    join(directory, 'home'),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the command puts it in
    [remote.url, '--header', 'Authorization:Bearer ${TOKEN}', ...args],
    { TOKEN: canary },
  )

/** A bridge in the middle of a call. */
async function startBusy(): Promise<ReturnType<typeof startProcess>> {
  const process = startProcess(withToken())
  process.write(hello, list, slow)
  await expect.poll(() => process.out(), patience).toContain('"id":2')
  await expect.poll(() => remote.methods().at(-1), patience).toBe('tools/call')
  return process
}

describe('the end of warder connect', () => {
  test('the host closes the pipe: what is open is answered, the session ends, and the process too', async () => {
    const { child, out } = await startBusy()
    const sessions = remote.sessions()
    child.stdin?.end()
    expect((await once(child, 'exit'))[0]).toBe(0)
    expect(out()).toMatch(/"id":3,"error":\{[^}]*stopped/)
    expect(remote.sessions()).toBe(sessions - 1)
    await expect.poll(() => remote.cancelled.length, patience).toBeGreaterThan(0)
  })

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    test(`${signal}: the same`, async () => {
      const { child, out } = await startBusy()
      const sessions = remote.sessions()
      child.kill(signal)
      expect((await once(child, 'exit'))[0]).toBe(0)
      expect(out()).toMatch(/"id":3,"error":\{[^}]*stopped/)
      expect(remote.sessions()).toBe(sessions - 1)
    })
  }

  test('the host is killed while somebody else holds the pipe: nothing is left behind', async () => {
    const { command, args, env } = withToken()
    const program = join(directory, 'host.mjs')
    writeFileSync(
      program,
      `import { spawn } from 'node:child_process'
const [command, ...args] = JSON.parse(process.argv[2])
const child = spawn(command, args, { stdio: ['inherit', 'inherit', 'ignore'] })
process.stderr.write(String(child.pid))
setInterval(() => {}, 1000)`,
    )
    const host = spawn(process.execPath, [program, JSON.stringify([command, ...args])], {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const [pid] = await once(host.stderr, 'data')
    let out = ''
    host.stdout.on('data', (chunk) => (out += chunk))
    host.stdin.write(`${JSON.stringify(hello)}\n`)
    await expect.poll(() => out, patience).toContain('"id":1')
    host.kill('SIGKILL')
    await expect.poll(() => isAlive(Number(String(pid))), patience).toBe(false)
    host.stdin.destroy()
    host.stdout.destroy()
  })

  test('the host does not listen any more: it ends without a crash', async () => {
    const process = startProcess(withToken())
    process.write(hello)
    await expect.poll(() => process.out(), patience).toContain('"id":1')
    process.child.stdout?.destroy()
    process.child.stderr?.destroy()
    process.write(list, { ...list, id: 9 })
    const [code, signal] = await once(process.child, 'exit')
    expect([code, signal]).toEqual([0, null])
  })

  test('the host closes the pipe and does not read what it is told: session and process end all the same', async () => {
    const sessions = remote.sessions()
    const { child, write } = startProcess(withToken())
    child.stdout?.pause()
    const text = 'x'.repeat(1_000_000)
    write(hello, {
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'echo', arguments: { text } },
    })
    await expect.poll(() => remote.methods().at(-1), patience).toBe('tools/call')
    expect(remote.sessions()).toBe(sessions + 1)
    child.stdin?.end()
    await once(child, 'exit')
    expect(remote.sessions()).toBe(sessions)
  })

  test('whatever hangs while the bridge ends is not waited for', async () => {
    const place = new URL('../../apps/cli/src/client/until-host-leaves.ts', import.meta.url)
    const program = join(directory, 'hanging.mjs')
    writeFileSync(
      program,
      `import { untilHostLeaves } from ${JSON.stringify(place.href)}
setInterval(() => {}, 1000)
const never = new Promise(() => {})
await untilHostLeaves({ closing: Promise.resolve(), closed: never, close: () => never })`,
    )
    const child = spawn(process.execPath, [...warderProgram.slice(0, -1), program], { stdio: 'ignore' })
    expect(await once(child, 'exit')).toEqual([1, null])
  })

  test('several run side by side and do not disturb each other', async () => {
    const hosts = await Promise.all([1, 2, 3].map(() => startHost(withToken(), 'session')))
    const answers = await Promise.all(
      hosts.map(({ client }, index) =>
        client.callTool({ name: 'echo', arguments: { text: `host ${index}` } }),
      ),
    )
    expect(answers.map(({ content }) => (content as { text: string }[])[0]?.text)).toEqual([
      'host 0',
      'host 1',
      'host 2',
    ])
    await Promise.all(hosts.map(({ client }) => client.close()))
  })
})

describe('the command line', () => {
  const run = async (args: readonly string[], env: Record<string, string> = {}) => {
    const process = startProcess(connectCommand(join(directory, 'home'), args, env))
    process.write(hello)
    const [code] = await once(process.child, 'exit')
    return { code, out: process.out(), err: process.err() }
  }

  test('nobody can click: one line of JSON on standard error, and exit code 3', async () => {
    const protectedRemote = await startRemote((_request, response) =>
      sendJson(response, {}, 401, { 'www-authenticate': 'Bearer' }),
    )
    const { code, err, out } = await run([protectedRemote.url], { BROWSER: '', DISPLAY: '' })
    expect(code).toBe(3)
    const line = err.split('\n').find((text) => text.startsWith('{'))
    expect(JSON.parse(line ?? '')).toMatchObject({
      error: 'auth_required',
      server: protectedRemote.url,
      reason: expect.any(String),
      resume: `warder login ${protectedRemote.url}`,
    })
    expect(out).toContain('"id":1')
    await protectedRemote.close()
  })

  test('Q16 of an address whose query has a key only its name is told; the command to sign in says whose and where', async () => {
    const protectedRemote = await startRemote((_request, response) =>
      sendJson(response, {}, 401, { 'www-authenticate': 'Bearer' }),
    )
    const resource = ['--resource', `https://notes.example.com/mcp?token=${canary}`]
    const options = ['--profile', 'work', '--store', 'encrypted-file', '--scope', 'a b']
    const process = startProcess(
      connectCommand(
        join(directory, 'home'),
        [`${protectedRemote.url}?api_key=${canary}&tenant=7`, ...options, ...resource],
        {
          BROWSER: '',
          DISPLAY: '',
        },
      ),
    )
    process.write(hello, { ...list, method: 'tools/call', params: { name: 'x' } })
    expect((await once(process.child, 'exit'))[0]).toBe(3)
    const resume = [
      `warder login '${protectedRemote.url}?api_key=[hidden]&tenant=7'`,
      "--profile work --store encrypted-file --scope 'a b'",
      "--resource 'https://notes.example.com/mcp?token=[hidden]'",
    ].join(' ')
    const line = process
      .err()
      .split('\n')
      .find((text) => text.startsWith('{'))
    expect(JSON.parse(line ?? '')).toMatchObject({
      server: `${protectedRemote.url}?api_key=[hidden]&tenant=[hidden]`,
      resume,
    })
    expect(process.out()).toContain(JSON.stringify(`run: ${resume}`).slice(1, -1))
    expect(process.out() + process.err()).not.toContain(canary)
    expect(protectedRemote.seen.length).toBeGreaterThan(0)
    await protectedRemote.close()
  })

  test('Q16 no file has the key of an address, and what a server said of itself is remembered', async () => {
    const home = join(directory, 'keyed')
    const url = new URL(remote.url)
    url.searchParams.set('api_key', canary)
    const { client } = await startHost(connectCommand(home, [url.href]), 'session')
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo')
    await client.close()
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
    expect(texts.filter((text) => text.includes('"serverInfo"'))).toHaveLength(1)
    expect(texts.filter((text) => text.includes(canary))).toEqual([])
  })

  describe('without a place for credentials', () => {
    const noStore = { WARDER_STORE_KEY_FILE: '/nowhere/key' }
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the command puts it in
    const header = ['--header', 'X-API-Key: ${KEY}']

    test('CL-65 nothing goes over http beyond this computer', async () => {
      const proxy = await startRemote((_request, response) => sendJson(response, {}, 500))
      const process = startProcess(
        connectCommand(join(directory, 'home'), ['http://notes.example.com/mcp', ...header, '--allow-http'], {
          ...noStore,
          KEY: canary,
          http_proxy: new URL(proxy.url).origin,
        }),
      )
      process.write(hello, list)
      expect((await once(process.child, 'exit'))[0]).toBe(2)
      expect(process.err()).toContain('http://notes.example.com/mcp is not https')
      expect(process.err() + process.out()).not.toContain(canary)
      expect(proxy.seen).toEqual([])
      await proxy.close()
    })

    test('a server on this computer that wants no sign-in is used, with its header', async () => {
      const process = startProcess(
        connectCommand(join(directory, 'home'), [remote.url, ...header], { ...noStore, KEY: canary }),
      )
      process.write(hello, list)
      await expect.poll(() => process.out(), patience).toContain('"id":2')
      expect(remote.seen.at(-1)?.headers['x-api-key']).toBe(canary)
      process.child.stdin?.end()
      await once(process.child, 'exit')
    })
  })

  describe('a headers helper', () => {
    /** A server in the list whose helper notes that it runs, and what it prints: the number of the run. */
    const withHelper = async (home: string, url: string, body = '') => {
      const started = connectCommand(join(directory, home), ['notes'])
      const runs = join(directory, home, 'runs')
      const helper = join(directory, home, 'helper')
      const script = `#!/bin/sh\necho $$ >> ${runs}\n${body}\necho "{\\"X-Run\\":\\"$(wc -l < ${runs} | tr -d ' ')\\"}"\n`
      writeFileSync(helper, script, { mode: 0o700 })
      const words = ['add', 'notes', url, '--headers-helper', helper, '--yes']
      const add = startProcess({ ...started, args: [...warderProgram, ...words] })
      add.child.stdin?.end()
      expect([(await once(add.child, 'exit'))[0], add.err()]).toEqual([0, expect.any(String)])
      const read = (): readonly string[] =>
        existsSync(runs) ? readFileSync(runs, 'utf8').trim().split('\n') : []
      return { started, runs: read }
    }

    test('is run once more for all calls that are refused, and the calls are made again with what it says', async () => {
      const strict = await startRemote((request, response, body) => {
        const { id = null, method } = (body ?? {}) as { id?: unknown; method?: string }
        const answer = (result: object): void => sendJson(response, { jsonrpc: '2.0', id, result })
        if (request.method !== 'POST') return sendJson(response, {}, 405)
        if (method === 'initialize')
          return answer({
            protocolVersion: '2025-11-25',
            capabilities: { tools: {} },
            serverInfo: hello.params.clientInfo,
          })
        if (id === null) return void response.writeHead(202).end()
        if (request.headers['x-run'] === '1') return sendJson(response, {}, 403)
        answer({ content: [{ type: 'text', text: `run ${request.headers['x-run']}` }] })
      })
      const { started, runs } = await withHelper('helper', strict.url, 'sleep 0.2')
      const process = startProcess(started)
      const calls = Array.from({ length: 20 }, (_one, at) => ({ ...slow, id: 100 + at }))
      process.write(hello, ...calls)
      for (const { id } of calls) await expect.poll(() => process.out(), patience).toContain(`"id":${id}`)
      expect(process.out().match(/run 2/g)).toHaveLength(20)
      expect(runs()).toHaveLength(2)
      process.child.stdin?.end()
      await once(process.child, 'exit')
      await strict.close()
    })

    test('that hangs ends with the bridge', async () => {
      const { started, runs } = await withHelper('hanging', remote.url, 'sleep 600')
      const process = startProcess(started)
      process.write(hello, list)
      await expect.poll(runs, patience).toHaveLength(1)
      const helper = Number(runs()[0])
      expect(isAlive(helper)).toBe(true)
      process.child.kill()
      await once(process.child, 'exit')
      await expect.poll(() => isAlive(helper), patience).toBe(false)
    })
  })

  test('Q27 what a server says reaches the terminal without its control characters', async () => {
    const rude = await startRemote((_request, response) =>
      sendJson(
        response,
        { jsonrpc: '2.0', id: null, error: { code: -32000, message: '\u001b[2Jgone\u0007' } },
        400,
      ),
    )
    const process = startProcess(
      connectCommand(join(directory, 'home'), [rude.url, '--header', 'authorization: x']),
    )
    process.write(hello, list)
    await expect.poll(() => process.err(), patience).toContain('[2Jgone')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(process.err()).not.toMatch(/[\u0007\u001b]/)
    // In JSON they are safe, and the host gets what the server said.
    await expect.poll(() => process.out(), patience).toContain('\\u001b[2Jgone')
    process.child.kill()
    await once(process.child, 'exit')
    await rude.close()
  })

  test('with --wait it stays and says so in the answers of calls', async () => {
    const protectedRemote = await startSdkProtected()
    const started = connectCommand(join(directory, 'home'), [protectedRemote.url, '--wait'], { BROWSER: '' })
    const { client } = await startHost(started, 'session')
    const call = await client.callTool({ name: 'whoami', arguments: {} })
    expect(call.isError).toBe(true)
    const link = /http\S+\/authorize\?[^\s"]+/.exec(JSON.stringify(call.content))?.[0] ?? ''
    await fetch(link)
    await expect
      .poll(async () => JSON.stringify(await client.callTool({ name: 'whoami', arguments: {} })), patience)
      .toContain('signed in')
    await client.close()
    await protectedRemote.close()
  })

  test('a server is found by its name in Warder’s own list, with the headers of its entry', async () => {
    const started = connectCommand(join(directory, 'named'), ['notes'], { NOTES_TOKEN: canary })
    const add = startProcess({
      ...started,
      args: [
        ...warderProgram,
        'add',
        'notes',
        remote.url,
        '--header',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it stays a variable in the list
        'Authorization: Bearer ${NOTES_TOKEN}',
      ],
    })
    add.child.stdin?.end()
    expect([(await once(add.child, 'exit'))[0], add.err()]).toEqual([0, expect.any(String)])
    const { client } = await startHost(started, 'session')
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo')
    expect(remote.seen.at(-1)?.headers['authorization']).toBe(`Bearer ${canary}`)
    await client.close()
    const unknown = await run(['no-such-server'])
    expect([unknown.code, unknown.out]).toEqual([2, ''])
    expect(unknown.err).toContain('no-such-server')
  })

  test('P11 a token from the environment reaches the server, and nothing else', async () => {
    const process = startProcess(withToken('--debug'))
    process.write(hello, list)
    await expect.poll(() => process.out(), patience).toContain('"id":2')
    process.child.stdin?.end()
    await once(process.child, 'exit')
    expect(remote.seen.at(-1)?.headers['authorization']).toBe(`Bearer ${canary}`)
    expect(process.out() + process.err()).not.toContain(canary)
  })

  test('mcp-remote’s command line is understood as it is', async () => {
    const unset = '{"client_id":"x","client_secret":"$' + '{SECRET}"}'
    writeFileSync(join(directory, 'client.json'), unset)
    const process = startProcess(
      withToken(
        '3334',
        ...[
          '--transport',
          'http-first',
          '--allow-http',
          '--debug',
          '--host',
          'localhost',
          '--protocol',
          'auto',
        ],
        ...['--static-oauth-client-metadata', '{"scope":"a b","client_name":"y"}'],
        ...['--static-oauth-client-info', `@${join(directory, 'client.json')}`],
        ...['--resource', remote.url, '--ignore-tool', 'delete_*', '--auth-timeout', '60', '--enable-proxy'],
        ...['--keep-alive', '--ping-interval', '30', '--callback-path', '/cb', '--ipv4', '--disable-cookies'],
        ...['--connect-timeout', '5', '--headers-timeout', '5', '--body-timeout', '0', '--silent'],
      ),
    )
    process.child.stdin?.on('error', () => undefined)
    process.write(hello, list)
    // The file names a variable that is not set: told, and nothing is sent.
    const [code] = await once(process.child, 'exit')
    expect([code, process.err()]).toEqual([2, expect.stringContaining('SECRET')])

    writeFileSync(join(directory, 'client.json'), '{"client_id":"x"}')
    const second = startProcess(
      withToken(
        '3334',
        '--transport',
        'http-first',
        '--ignore-tool',
        'delete_*',
        '--static-oauth-client-info',
        `@${join(directory, 'client.json')}`,
      ),
    )
    second.write(hello, list)
    await expect.poll(() => second.out(), patience).toContain('"id":2')
    expect(second.out()).toContain('"echo"')
    expect(second.out()).not.toContain('delete_all')
    expect(second.err()).toContain('--transport has no effect')
    second.child.kill()
    await once(second.child, 'exit')
  })

  for (const address of ['https://', 'http://[', 'https://a b/mcp', 'https://me:canary@a.example/mcp']) {
    test(`refused: ${address} is no address`, async () => {
      const { code, err, out } = await run([address])
      expect([code, out]).toEqual([2, ''])
      expect(err).toMatch(/^warder: the address .*\n$/)
      expect(err).not.toContain('canary')
    })
  }

  test('what the client refuses is told in words, not by where in the program', async () => {
    const process = startProcess(
      connectCommand(join(directory, 'home'), ['https://notes.example.com/a/../mcp']),
    )
    process.write(hello, list)
    expect((await once(process.child, 'exit'))[0]).toBe(1)
    expect(process.err()).toContain('warder: An MCP server is reached by https')
    expect(process.err()).not.toContain('    at ')
  })

  for (const [name, args, words] of [
    ['an ID token as access token', ['--use-id-token'], 'ID token'],
    [
      'a token endpoint from nowhere',
      ['--client-credentials', '--token-endpoint', 'https://as.example/t'],
      'token-endpoint',
    ],
    ['a listener for everybody', ['--host', '0.0.0.0'], 'this computer'],
    ['a header that is none', ['--header', 'no-colon-and-canary'], '--header takes'],
    ['a store that does not exist', ['--store', 'nowhere'], '--store takes'],
    ['an option that does not exist', ['--no-such'], 'no-such'],
  ] as const) {
    test(`refused: ${name}`, async () => {
      const { code, err, out } = await run([remote.url, ...args])
      expect([code, out]).toEqual([2, ''])
      expect(err).toContain(words)
      expect(err).not.toContain('canary')
    })
  }
})
