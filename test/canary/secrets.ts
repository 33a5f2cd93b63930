import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Everything in a run that nobody may find, by what it is. */
export interface Secrets {
  add(kind: string, value: string | undefined): void
  /** A new one of our own making, as something that is typed or configured. */
  make(kind: string): string
  /** The kinds whose value stands in these bytes, in any of the usual encodings. */
  findIn(bytes: string | Uint8Array): string[]
  /** The same for every file below a directory: `kind in file`. */
  findUnder(directory: string, except?: readonly string[]): string[]
  count(kind: string): number
}

export function createSecrets(): Secrets {
  const byValue = new Map<string, string>()
  const needles = new Map<string, readonly Buffer[]>()
  const add: Secrets['add'] = (kind, value) => {
    // Shorter ones would be found by chance.
    if (value === undefined || value.length < 16 || byValue.has(value)) return
    byValue.set(value, kind)
    needles.set(value, encodingsOf(value).map(Buffer.from))
  }
  const findIn: Secrets['findIn'] = (bytes) => {
    const hay = Buffer.from(bytes as Uint8Array)
    const found = [...needles].filter(([, encoded]) => encoded.some((needle) => hay.includes(needle)))
    return [...new Set(found.map(([value]) => byValue.get(value) ?? ''))].sort()
  }
  return {
    add,
    make(kind) {
      const value = `canary ${kind} ${randomBytes(18).toString('base64url')}`
      add(kind, value)
      return value
    },
    findIn,
    findUnder: (directory, except = []) =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !except.includes(entry.name))
        .flatMap((entry) =>
          findIn(readFileSync(join(entry.parentPath, entry.name))).map((kind) => `${kind} in ${entry.name}`),
        ),
    count: (kind) => [...byValue.values()].filter((one) => one === kind).length,
  }
}

/** How a value looks in the clear, in base64 at any of the three offsets, in hexadecimal, in a URL, in JSON, in UTF-16. */
function encodingsOf(value: string): string[] {
  const bytes = Buffer.from(value)
  const base64 = [0, 1, 2].map((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    // The first and last characters depend on what stands around it.
    return whole.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6))
  })
  const hex = bytes.toString('hex')
  const wide = [...value].map((character) => character.charCodeAt(0).toString(16).padStart(4, '0'))
  return [
    value,
    encodeURIComponent(value),
    encodeURIComponent(value).replaceAll('%20', '+'),
    hex.replace(/../g, '%$&'),
    hex.toUpperCase().replace(/../g, '%$&'),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    hex,
    hex.toUpperCase(),
    JSON.stringify(value).slice(1, -1),
    wide.map((code) => `\\u${code}`).join(''),
    Buffer.from(value, 'utf16le').toString('latin1'),
  ]
}
