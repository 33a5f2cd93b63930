import { createHash, randomBytes } from 'node:crypto'
import type { KeychainCalls } from './keychain-calls.ts'
import { StoreUnavailable } from './store-unavailable.ts'

/** Windows keeps 2,560 bytes an entry, in UTF-16. */
const maxUnits = 1280

/**
 * One value in as many entries as it needs. The entry of its own name is the manifest: the value itself where it is short,
 * else which parts it is made of and their hash. A writer adds parts under names that nobody knows yet, then switches the
 * manifest, then removes the old parts: whatever it is interrupted by, the manifest leads to a whole value.
 */
export async function readChunked(calls: KeychainCalls, name: string): Promise<string | undefined> {
  let manifest = await calls.read(name)
  for (;;) {
    if (manifest === undefined) return undefined
    const value = await readParts(calls, name, manifest)
    if (value !== undefined) return value
    // Somebody may have written in between, and removed the parts that we went for.
    const again = await calls.read(name)
    if (again === manifest) throw damaged(name)
    manifest = again
  }
}

export async function writeChunked(calls: KeychainCalls, name: string, value: string): Promise<void> {
  if (!value.isWellFormed()) throw new TypeError('a value with a lone surrogate cannot be kept')
  const before = await calls.read(name)
  const inline = `v1:${value}`
  if (inline.length <= maxUnits) {
    await calls.write(name, inline)
  } else {
    const parts = split(value)
    const set = randomBytes(8).toString('hex')
    for (const [index, part] of parts.entries()) await calls.write(partName(name, set, index), part)
    await calls.write(name, `p1:${set}:${parts.length}:${hashOf(value)}`)
  }
  await removeParts(calls, name, before)
}

export async function removeChunked(calls: KeychainCalls, name: string): Promise<void> {
  const before = await calls.read(name)
  await calls.remove(name)
  await removeParts(calls, name, before)
}

interface Parts {
  readonly set: string
  readonly count: number
  readonly hash: string
}

function readManifest(manifest: string): Parts | undefined {
  const [, set = '', count, hash = ''] =
    /^p1:([0-9a-f]{16}):([0-9]{1,4}):([0-9a-f]{64})$/.exec(manifest) ?? []
  return count === undefined ? undefined : { set, count: Number(count), hash }
}

/** Undefined when a part is not there, or is not that of this value. */
async function readParts(calls: KeychainCalls, name: string, manifest: string): Promise<string | undefined> {
  if (manifest.startsWith('v1:')) return manifest.slice(3)
  const parts = readManifest(manifest)
  if (parts === undefined) return undefined
  let value = ''
  for (let index = 0; index < parts.count; index += 1) {
    const part = await calls.read(partName(name, parts.set, index))
    if (part === undefined) return undefined
    value += part
  }
  return hashOf(value) === parts.hash ? value : undefined
}

async function removeParts(calls: KeychainCalls, name: string, manifest: string | undefined): Promise<void> {
  const parts = manifest === undefined ? undefined : readManifest(manifest)
  for (let index = 0; index < (parts?.count ?? 0); index += 1) {
    await calls.remove(partName(name, parts?.set ?? '', index))
  }
}

/** Never between the two halves of one character: on its own, neither can be written. */
function split(value: string): readonly string[] {
  const parts: string[] = []
  for (let at = 0; at < value.length; ) {
    const end = at + maxUnits
    const cutsPair = end < value.length && /[\ud800-\udbff]/.test(value.charAt(end - 1))
    const part = value.slice(at, cutsPair ? end - 1 : end)
    parts.push(part)
    at += part.length
  }
  return parts
}

const partName = (name: string, set: string, index: number): string => `${name}#${set}.${index}`

const hashOf = (value: string): string => createHash('sha256').update(value).digest('hex')

const damaged = (name: string): StoreUnavailable =>
  new StoreUnavailable(
    'denied',
    `the keychain entry ${name} is incomplete: something removed a part of it. Sign out and in again: warder logout, then warder login.`,
  )
