import { authorizationRequest, issuerOf, place } from './authorization-steps.ts'
import { browserOutcome } from './outcome.ts'
import type { Step, StepKind } from './row.ts'
import { fillAll, type Scene } from './scene.ts'
import { type Got, send } from './send.ts'
import type { Seen, TakeStep } from './take-step.ts'

/** What a person, or somebody in her place, does at the pages of an authorization server, form by form. */
export const pageSteps: Readonly<Partial<Record<StepKind, TakeStep>>> = {
  async open(scene, step) {
    const { url } = await authorizationRequest(scene, step)
    return show(scene, await follow(scene, step, scene.fill(step.url ?? url), {}))
  },
  'log in': (scene, step) => submit(scene, step, scene.target.forms?.logIn ?? {}),
  decide: (scene, step) => submit(scene, step, scene.target.forms?.allow ?? {}),
}

interface Arrived {
  readonly url: string
  readonly got: Got
}

async function submit(scene: Scene, step: Step, usual: Readonly<Record<string, string>>): Promise<Seen> {
  const { html, url } = scene.page
  const action = /<form[^>]*action="([^"]*)"/.exec(html)?.[1] ?? ''
  const field = scene.target.forms?.token ?? ''
  const token = new RegExp(`name="${field}"[^>]*value="([^"]*)"`).exec(html)?.[1] ?? ''
  const all = fillAll(scene, { ...usual, [field]: token, ...step.with }) as Record<string, string | null>
  const fields = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null)
  const sent = {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      origin: new URL(issuerOf(scene)).origin,
      ...step.headers,
    },
    body: new URLSearchParams(fields).toString(),
  }
  return show(scene, await follow(scene, step, new URL(action, url).href, sent))
}

/** Remembers the page, where one is shown; a try that fails does not take the last good one away. */
function show(scene: Scene, { url, got }: Arrived): Seen {
  if (got.status === 200) scene.page = { url, html: got.text }
  const outcome = browserOutcome(place(got), { issuer: issuerOf(scene), state: 'unchanged' })
  const code = got.headers['location'] === undefined ? null : codeIn(got.headers['location'], url)
  if (code !== null) scene.values.set('code', code)
  return { outcome, all: got.all }
}

const codeIn = (location: string, base: string): string | null =>
  new URL(location, base).searchParams.get('code')

async function follow(
  scene: Scene,
  step: Step,
  url: string,
  sent: { method?: string; headers?: Step['headers']; body?: string },
): Promise<Arrived> {
  const other = step.other === true
  const jar = scene.browsers.get(other) ?? new Map<string, string>()
  scene.browsers.set(other, jar)
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const got = await send(url, {
    method: sent.method ?? 'GET',
    headers: { accept: 'text/html', ...(cookie === '' ? {} : { cookie }), ...sent.headers },
    ...(sent.body === undefined ? {} : { body: sent.body }),
  })
  for (const line of [got.headers['set-cookie'] ?? []].flat()) {
    const [pair = ''] = String(line).split(';')
    jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
  }
  const { location } = got.headers
  if (location === undefined) return { url, got }
  const next = new URL(location, url)
  if (next.origin !== new URL(issuerOf(scene)).origin) return { url, got }
  return follow(scene, step, next.href, {})
}
