import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openConnectMemory } from '../../src/client/connect-memory.ts'

const url = 'https://notes.example.com/mcp'
const facts = {
  era: 'session',
  capabilities: { tools: {} },
  serverInfo: { name: 'notes', version: '1' },
} as const

function ownCache(): string {
  const root = mkdtempSync(join(tmpdir(), 'warder-memory-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  vi.stubEnv('XDG_CACHE_HOME', root)
  vi.stubEnv('HOME', root)
  vi.stubEnv('LOCALAPPDATA', root)
  onTestFinished(() => void vi.unstubAllEnvs())
  return root
}

test('what a server said is remembered for that server and profile', () => {
  ownCache()
  expect(openConnectMemory(url, 'default').read()).toBeUndefined()
  openConnectMemory(url, 'default').write(facts)
  expect(openConnectMemory(url, 'default').read()).toEqual(facts)
  expect(openConnectMemory(url, 'work').read()).toBeUndefined()
  expect(openConnectMemory(`${url}?a=b`, 'default').read()).toBeUndefined()
})

test('what a process left that ended in the middle does not keep the next one of its number from writing', () => {
  const root = ownCache()
  const memory = openConnectMemory(url, 'default')
  memory.write(facts)
  const [entry] = readdirSync(root, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  const file = join(entry!.parentPath, entry!.name)
  for (const left of [`${file}.${process.pid}`, `${file}.new`]) writeFileSync(left, '{', { mode: 0o600 })
  const newer = { ...facts, instructions: 'Ask first.' }
  memory.write(newer)
  expect(memory.read()).toEqual(newer)
})
