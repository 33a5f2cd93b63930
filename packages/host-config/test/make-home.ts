import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type HostConfig, type HostPlaces, loadHostConfig } from '../src/index.ts'

/** A home, a project and a managed directory of their own, made of real files and gone with the test. */
export interface Home {
  readonly root: string
  readonly places: HostPlaces
  /** Writes a file; objects as JSON. Paths begin with `home/`, `project/` or `managed/`. */
  write(path: string, content: unknown): string
  read(path: string): string
  load(): Promise<HostConfig>
}

export function makeHome(
  env: Readonly<Record<string, string>> = {},
  options: Partial<Pick<HostPlaces, 'platform' | 'cwd'>> = {},
): Home {
  const root = mkdtempSync(join(tmpdir(), 'warder-hosts-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const folder of ['home', 'project/.git', 'managed']) mkdirSync(join(root, folder), { recursive: true })
  const places: HostPlaces = {
    cwd: join(root, 'project'),
    home: join(root, 'home'),
    env,
    platform: 'linux',
    managedRoot: join(root, 'managed'),
    ...options,
  }
  return {
    root,
    places,
    write(path, content) {
      const file = join(root, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
      chmodSync(file, 0o600)
      return file
    },
    read: (path) => readFileSync(join(root, path), 'utf8'),
    load: () => loadHostConfig(places),
  }
}

/** A remote entry as Claude Code has it. */
export const remote = (url: string, more: object = {}): object => ({ type: 'http', url, ...more })

/** `${NAME}`, or `${NAME:-fallback}`. */
export const variable = (name: string): string => `\${${name}}`
