import { join } from 'node:path'
import { startChild } from '../measure/child.ts'
import { type Issuer, redirectUri, resource } from './issuer.ts'

/** How SQLite commits: `FULL` is what Warder ships, on the disk before it is answered; `NORMAL` may lose the last commits. */
export type Synchronous = 'FULL' | 'NORMAL'

interface Hello {
  readonly origin: string
  readonly clientId: string
  readonly authorizePath: string
  readonly tokenPath: string
  /** Of a signed-in browser, for a program that has no sign-in of its own. */
  readonly cookie?: string
  /** What it wants to be asked for beside the resource's own scope. */
  readonly scope?: string
}

/** Starts one of the programs in `bench/peers`; each signs in whoever comes and allows what is asked. */
export async function startPeer(
  program: 'floor' | 'oidc-provider' | 'better-auth',
  synchronous: Synchronous = 'FULL',
): Promise<Issuer> {
  const scope = 'everything:read'
  const child = await startChild({
    program: join(import.meta.dirname, '..', 'peers', `${program}.mjs`),
    args: [JSON.stringify({ redirectUri, resource, scope, synchronous })],
  })
  const { cookie = '', ...hello } = child.hello as unknown as Hello
  return {
    name: program,
    child,
    scope,
    ...hello,
    host: new URL(hello.origin).host,
    signIn: async () => cookie,
    stop: () => child.stop(),
  }
}
