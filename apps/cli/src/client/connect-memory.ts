import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerFacts } from '@warder/bridge/connect'
import { userDirectory, writePrivateFile } from '@warder/private-files/files'
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
  const file = join(userDirectory('cache'), 'introductions', `${name}.json`)
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
        // Not the address: it may hold a key.
        const { era, capabilities, serverInfo, instructions } = facts
        writePrivateFile(file, JSON.stringify({ version, era, capabilities, serverInfo, instructions }))
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
