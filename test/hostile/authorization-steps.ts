import { browserOutcome, endpointOutcome, member, parse } from './outcome.ts'
import type { Step, StepKind } from './row.ts'
import { callback, fillAll, type Scene } from './scene.ts'
import { type Got, send } from './send.ts'
import type { Seen, TakeStep } from './take-step.ts'
import type { Target } from './target.ts'

const seen = (outcome: string, got: Got): Seen => ({ outcome, all: got.all })

/** What a client and a browser do at an authorization server. */
export const authorizationSteps: Readonly<Partial<Record<StepKind, TakeStep>>> = {
  async authorize(scene, step) {
    const { url, state } = await authorizationRequest(scene, step)
    const method = step.method ?? 'GET'
    const got = await send(url, { method, headers: headersOf(scene, step, { accept: 'text/html' }) })
    if (method !== 'GET') return seen(corsOutcome(got), got)
    return seen(browserOutcome(place(got), { issuer: issuerOf(scene), state }), got)
  },
  async 'sign in'(scene, step) {
    const { url, state } = await authorizationRequest(scene, step)
    const end = (await scene.target.approve?.(url)) ?? url
    const location = end.startsWith(issuerOf(scene)) ? undefined : end
    const code = location === undefined ? null : new URL(location).searchParams.get('code')
    if (code !== null) scene.values.set('code', code)
    const outcome = browserOutcome({ status: 200, location }, { issuer: issuerOf(scene), state })
    return { outcome, all: end }
  },
  async redeem(scene, step) {
    const client = await clientOf(scene, step)
    const fields = {
      grant_type: 'authorization_code',
      client_id: client,
      code: '{code}',
      redirect_uri: callback,
      code_verifier: '{verifier}',
      ...step.with,
    }
    return tokens(scene, await post(scene, 'token_endpoint', fields, step))
  },
  async refresh(scene, step) {
    const client = await clientOf(scene, step)
    const fields = {
      grant_type: 'refresh_token',
      client_id: client,
      refresh_token: '{refresh}',
      ...step.with,
    }
    return tokens(scene, await post(scene, 'token_endpoint', fields, step))
  },
  async revoke(scene, step) {
    const fields = { client_id: await clientOf(scene, step), token: '{refresh}', ...step.with }
    const got = await post(scene, 'revocation_endpoint', fields, step)
    return seen(endpointOutcome(got), got)
  },
  async register(scene, step) {
    const metadata = withoutNulls({
      client_name: 'Hostile',
      redirect_uris: [callback],
      token_endpoint_auth_method: 'none',
      ...step.with,
    })
    const body = scene.fill(step.body ?? JSON.stringify(metadata))
    const headers = headersOf(scene, step, { 'content-type': 'application/json' })
    const got = await send(scene.fill('{registration_endpoint}'), { method: 'POST', headers, body })
    const id = member(parse(got.text), 'client_id')
    if (typeof id === 'string') scene.values.set('client', id)
    return seen(endpointOutcome(got), got)
  },
  async request(scene, step) {
    const { method = 'GET', url = '{issuer}', body } = step
    const headers = headersOf(scene, step, {})
    const got = await send(scene.fill(url), {
      method,
      headers,
      ...(body === undefined ? {} : { body: scene.fill(body) }),
    })
    return seen(method === 'OPTIONS' ? corsOutcome(got) : endpointOutcome(got), got)
  },
}

/** The good authorization request with the overrides of the step. */
export async function authorizationRequest(
  scene: Scene,
  step: Step,
): Promise<{ readonly url: string; readonly state: string | undefined }> {
  const params = {
    response_type: 'code',
    client_id: await clientOf(scene, step),
    redirect_uri: callback,
    code_challenge: '{challenge}',
    code_challenge_method: 'S256',
    scope: '{scope}',
    ...(scene.target.values.resource === undefined ? {} : { resource: '{resource}' }),
    state: 'unchanged',
    ...step.with,
  }
  const query = formOf(scene, params, step.append)
  const state = typeof params.state === 'string' ? params.state : undefined
  return { url: `${scene.fill('{authorization_endpoint}')}?${query}`, state }
}

export const issuerOf = (scene: Scene): string => scene.target.values.issuer ?? ''

export const place = (got: Got): { status: number; location: string | undefined } => ({
  status: got.status,
  location: got.headers['location'],
})

/** A preflight is about one thing: whether a page of another origin may go on. */
function corsOutcome(got: Got): string {
  if (got.headers['access-control-allow-origin'] === undefined) return 'no CORS'
  return got.headers['access-control-allow-credentials'] === undefined ? 'CORS' : 'CORS with credentials'
}

async function post(
  scene: Scene,
  endpoint: string,
  fields: Readonly<Record<string, unknown>>,
  step: Step,
): Promise<Got> {
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = scene.fill(step.body ?? formOf(scene, fields, step.append))
  const headers = headersOf(scene, step, type)
  return send(scene.fill(`{${endpoint}}`), { method: step.method ?? 'POST', headers, body })
}

function tokens(scene: Scene, got: Got): Seen {
  const body = parse(got.text)
  for (const [name, key] of [
    ['access', 'access_token'],
    ['refresh', 'refresh_token'],
  ] as const) {
    const value = member(body, key)
    if (typeof value === 'string') scene.values.set(name, value)
  }
  return seen(endpointOutcome(got), got)
}

function formOf(scene: Scene, params: Readonly<Record<string, unknown>>, append = ''): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    const values = Array.isArray(value) ? value : value === null || value === undefined ? [] : [value]
    for (const one of values) form.append(name, String(fillAll(scene, one)))
  }
  return `${form}${scene.fill(append)}`
}

export function headersOf(
  scene: Scene,
  step: Step,
  usual: Readonly<Record<string, string>>,
): Step['headers'] & {} {
  const all = { 'x-forwarded-for': scene.address, ...usual, ...step.headers }
  return fillAll(scene, all) as Step['headers'] & {}
}

const withoutNulls = (all: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))

const registered = new WeakMap<Target, Map<string, Promise<string>>>()

/** The client of the step: the one that this try registered, or one of two that the target keeps for all rows. */
async function clientOf(scene: Scene, { other }: Step): Promise<string> {
  const own = scene.values.get('client')
  if (own !== undefined && other !== true) return own
  const known = registered.get(scene.target) ?? new Map<string, Promise<string>>()
  registered.set(scene.target, known)
  const name = other === true ? 'other' : 'one'
  const id = known.get(name) ?? registerOne(scene)
  known.set(name, id)
  return id
}

async function registerOne(scene: Scene): Promise<string> {
  const body = JSON.stringify({ redirect_uris: [callback], application_type: 'native' })
  const headers = { 'content-type': 'application/json' }
  const got = await send(scene.fill('{registration_endpoint}'), { method: 'POST', headers, body })
  const id = member(parse(got.text), 'client_id')
  if (typeof id !== 'string') throw new Error(`no client: ${got.status} ${got.text}`)
  return id
}
