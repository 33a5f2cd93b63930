import { headersOf } from './authorization-steps.ts'
import { callOutcome, member, parse } from './outcome.ts'
import type { Step, StepKind } from './row.ts'
import { fillAll, type Scene } from './scene.ts'
import { type HeaderLines, send, sendRaw, statusesOf } from './send.ts'
import type { TakeStep } from './take-step.ts'

const version = '2026-07-28'
const meta = {
  'io.modelcontextprotocol/protocolVersion': version,
  'io.modelcontextprotocol/clientInfo': { name: 'hostile', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** What a client of an MCP server does. */
export const callSteps: Readonly<Partial<Record<StepKind, TakeStep>>> = {
  async call(scene, step) {
    const url = scene.fill(step.url ?? (step.own === true ? '{resource}' : '{endpoint}'))
    const token = tokenOf(scene, step)
    const { headers, body } = messageOf(scene, step)
    const all: HeaderLines = {
      ...headersOf(scene, { do: 'call' }, headers),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(fillAll(scene, step.headers ?? {}) as HeaderLines),
    }
    const method = step.method ?? 'POST'
    const got = await send(url, {
      method,
      headers: all,
      ...(method === 'GET' || method === 'DELETE' ? {} : { body }),
    })
    const session = got.headers['mcp-session-id']
    if (session !== undefined) scene.values.set('session', session)
    const cursor = member(member(parse(got.text), 'result'), 'nextCursor')
    if (typeof cursor === 'string') scene.values.set('cursor', cursor)
    return { outcome: callOutcome(got, isBearer(all['authorization'])), all: got.all }
  },
  async raw(scene, step) {
    const { body } = messageOf(scene, { do: 'call' })
    scene.values.set('length', String(Buffer.byteLength(body)))
    const lines = (step.lines ?? []).map((line) => scene.fill(line))
    const tail = scene.fill(step.body ?? body).replaceAll('{message}', () => body)
    const text = await sendRaw(
      scene.fill('{endpoint}'),
      `${lines.join('\r\n')}\r\n\r\n${tail}`,
      answersTo(lines, tail),
    )
    const statuses = statusesOf(text).filter((status) => status !== 100)
    return { outcome: statuses.length === 0 ? 'closed' : statuses.join(', '), all: text }
  },
}

/** A pipelined request is answered on its own. */
const answersTo = (lines: readonly string[], tail: string): number =>
  1 + [...`${lines.slice(1).join('\n')}\n${tail}`.matchAll(/HTTP\/1\.1(\r?\n|$)/g)].length

function tokenOf(scene: Scene, { token, own }: Step): string | null {
  if (token === null) return null
  if (typeof token === 'string') return scene.fill(token)
  if (own === true) return scene.fill('{access}')
  if (token === undefined) return scene.fill('{bearer}')
  const spec = fillAll(scene, token) as NonNullable<typeof token> & object
  return scene.target.mint?.(spec) ?? ''
}

function messageOf(scene: Scene, step: Step): { headers: Readonly<Record<string, string>>; body: string } {
  const { rpc = 'tools/call', older } = step
  const name = rpc === 'tools/call' ? { name: 'read_note', arguments: { text: 'x' } } : {}
  const params = { ...name, ...(fillAll(scene, step.params ?? {}) as Record<string, unknown>) }
  const message = {
    jsonrpc: '2.0',
    id: 1,
    method: rpc,
    params: older === true ? params : { ...params, _meta: meta },
    ...(fillAll(scene, step.with ?? {}) as Record<string, unknown>),
  }
  const written = JSON.stringify(message)
  if (step.edit !== undefined && !written.includes(step.edit[0]))
    throw new Error(`nothing like ${step.edit[0]}`)
  const edited = step.edit === undefined ? written : written.replace(step.edit[0], () => step.edit?.[1] ?? '')
  const mirrored = {
    'mcp-protocol-version': version,
    'mcp-method': rpc,
    ...(typeof params['name'] === 'string' && isHeaderText(params['name'])
      ? { 'mcp-name': params['name'] }
      : {}),
  }
  return {
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(older === true ? {} : mirrored),
    },
    body: step.body === undefined ? edited : scene.fill(step.body).replaceAll('{message}', () => edited),
  }
}

const isBearer = (value: HeaderLines[string] | undefined): boolean | undefined => {
  if (value === null || value === undefined) return false
  return [value].flat().some((line) => /^bearer\b/i.test(line)) ? true : undefined
}

const isHeaderText = (text: string): boolean => /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text)
