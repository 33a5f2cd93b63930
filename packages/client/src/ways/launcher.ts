import { randomBytes } from 'node:crypto'
import type { OpenableUrl } from './openable-url.ts'

/** Local addresses that lead to authorization URLs, each of them once. */
export interface Launcher {
  /** A path that nobody can guess. */
  link(url: OpenableUrl): string
  /** Where a path leads: `used` when somebody has been there before, undefined when it is none of ours. */
  follow(path: string): OpenableUrl | 'used' | undefined
  /** Makes every link worth nothing. */
  forgetAll(): void
}

/**
 * A browser is a program that gets its address as an argument, and arguments show in the list of processes, to every user of the
 * computer. So it gets a local address that leads to the authorization URL once: its parameters show nowhere, and nothing that a
 * server chose is ever an argument of a program (MCP CL-71, Q02, Q16).
 */
export function makeLauncher(): Launcher {
  const targets = new Map<string, OpenableUrl | 'used'>()
  return {
    link(url) {
      const path = `/start/${randomBytes(32).toString('base64url')}`
      targets.set(path, url)
      return path
    },
    follow(path) {
      const target = targets.get(path)
      if (target !== undefined) targets.set(path, 'used')
      return target
    },
    forgetAll: () => targets.clear(),
  }
}
