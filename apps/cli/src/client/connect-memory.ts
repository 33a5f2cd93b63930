import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import type { ServerFacts } from '@warder/bridge/connect'
import { isJsonObject, readStrictText } from '@warder/protocol'

const version = 1

/** What servers said about themselves last time: no secrets, and nothing is decided by it. */
export interface ConnectMemory {
  read(): ServerFacts | undefined
  write(facts: ServerFacts): void
}

/**
 * Remembers a server's introduction in the user's cache directory, so that a host hears name, capabilities and instructions at once,
 * before the network has answered. Fails silently: it is a convenience.
 */
export function openConnectMemory(server: string, profile: string): ConnectMemory {
  const name = createHash('sha256')
    .update(JSON.stringify([server, profile]))
    .digest('hex')
  const file = join(cacheDirectory(), 'introductions', `${name}.json`)
  return {
    read: () => {
      try {
        return readFacts(readStrictText(readFileSync(file, 'utf8')))
      } catch {
        return undefined
      }
    },
    write: (facts) => {
      try {
        const { era, capabilities, serverInfo, instructions } = facts
        const text = JSON.stringify({ version, server, era, capabilities, serverInfo, instructions })
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
        const draft = `${file}.${process.pid}`
        writeFileSync(draft, text, { mode: 0o600, flag: 'wx' })
        renameSync(draft, file)
      } catch {
        // Next time then.
      }
    },
  }
}

function readFacts(value: unknown): ServerFacts | undefined {
  if (!isJsonObject(value) || value['version'] !== version) return undefined
  const { era, capabilities, serverInfo, instructions } = value
  if (era !== 'session' && era !== 'stateless') return undefined
  if (!isJsonObject(capabilities) || !isJsonObject(serverInfo)) return undefined
  return { era, capabilities, serverInfo, ...(typeof instructions === 'string' ? { instructions } : {}) }
}

/** The user's own directory for what can be made again. */
export function cacheDirectory(): string {
  const given = process.env['XDG_CACHE_HOME']
  if (process.platform === 'win32') {
    return join(process.env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'warder', 'cache')
  }
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'warder')
  return join(given !== undefined && isAbsolute(given) ? given : join(homedir(), '.cache'), 'warder')
}
