import { spawn } from 'node:child_process'
import type { Browser, Desktop } from './find-browser.ts'
import type { OpenableUrl } from './openable-url.ts'

/** How long a program that opens addresses has to say that it cannot. Some stay as long as the browser does. */
const patienceMs = 3_000

/**
 * Opens an address: one program, one argument, no shell (MCP CL-71, Q02). Answers whether it worked, as far as that can be told: a
 * program that starts and does not fail within three seconds is taken for a browser.
 *
 * The program gets neither our terminal nor what looks like a secret in our environment.
 */
export async function openBrowser(
  { program, args }: Browser,
  url: OpenableUrl,
  env: Desktop['env'],
): Promise<boolean> {
  const child = spawn(program, [...args, url], {
    shell: false,
    stdio: 'ignore',
    detached: true,
    windowsHide: true,
    env: withoutSecrets(env),
  })
  return new Promise((resolve) => {
    const settle = (worked: boolean) => (): void => {
      clearTimeout(timer)
      child.unref()
      resolve(worked)
    }
    const timer = setTimeout(settle(true), patienceMs)
    child.once('error', settle(false))
    child.once('exit', (code) => settle(code === 0)())
  })
}

const secretWords: ReadonlySet<string> = new Set([
  'AUTH',
  'COOKIE',
  'CREDENTIAL',
  'CREDENTIALS',
  'DSN',
  'KEY',
  'PASSPHRASE',
  'PASSWD',
  'PASSWORD',
  'PAT',
  'SECRET',
  'TOKEN',
])

/** The environment without names that have one of these words in them, such as `MCP_CLIENT_SECRET`, and without our own. */
function withoutSecrets(env: Desktop['env']): Record<string, string> {
  const isSecret = (name: string): boolean =>
    name
      .toUpperCase()
      .split('_')
      .some((part) => secretWords.has(part))
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !isSecret(entry[0]) && !entry[0].startsWith('WARDER_'),
    ),
  )
}
