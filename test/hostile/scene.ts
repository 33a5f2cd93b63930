import { createHash, randomBytes } from 'node:crypto'
import type { Target } from './target.ts'

export const callback = 'http://127.0.0.1:7777/callback'

/** What one try knows so far: the values for `{…}`, and what must never come back. */
export interface Scene {
  readonly target: Target
  /** The address from which our proxy says that it comes, another for each try: budgets are not in the way of rows. */
  readonly address: string
  readonly values: Map<string, string>
  readonly browsers: Map<boolean, Map<string, string>>
  /** The page that a browser shows: its address and what stands on it. */
  page: { readonly url: string; readonly html: string }
  fill(text: string): string
  /** Values that stand for rights; an answer that refuses must not repeat them. */
  secrets(): string[]
}

const secretNames = /(^|\.)(code|verifier|access|refresh|password|bearer)$/

let scenes = 0

export function makeScene(target: Target): Scene {
  scenes += 1
  const number = scenes
  const verifier = randomBytes(32).toString('base64url')
  const values = new Map<string, string>([
    ['n', String(number)],
    ['verifier', verifier],
    ['challenge', createHash('sha256').update(verifier).digest('base64url')],
    ['callback', callback],
    ...Object.entries(target.values),
  ])
  const { endpoint } = target.values
  if (endpoint !== undefined) {
    const url = new URL(endpoint)
    values.set('host', url.host).set('path', url.pathname)
  }
  for (const [name, url] of Object.entries(target.values))
    if (URL.canParse(url))
      values.set(`${name}.host`, new URL(url).host).set(`${name}.port`, new URL(url).port)
  if (target.mint !== undefined) {
    const bearer = target.mint({})
    const [header = '', payload = '', signature = ''] = bearer.split('.')
    values.set('bearer', bearer).set('header', header).set('payload', payload).set('signature', signature)
  }
  return {
    target,
    address: `192.0.${2 + (number >> 8)}.${number & 255}`,
    values,
    browsers: new Map(),
    page: { url: '', html: '' },
    fill(text) {
      return text.replace(/\{([a-zA-Z_.]+)\}/g, (whole, name: string) => values.get(name) ?? whole)
    },
    secrets: () => [...values].filter(([name]) => secretNames.test(name)).map(([, value]) => value),
  }
}

/** Every text in it with its values filled in. */
export function fillAll(scene: Scene, value: unknown): unknown {
  if (typeof value === 'string') return scene.fill(value)
  if (Array.isArray(value)) return value.map((item) => fillAll(scene, item))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fillAll(scene, item)]))
  return value
}
