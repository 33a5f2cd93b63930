import type { Child } from '../measure/child.ts'

/** An authorization server under measurement, and what a client of it knows. */
export interface Issuer {
  readonly name: string
  readonly child: Child
  /** Where it listens. */
  readonly origin: string
  /** The Host header that it wants. */
  readonly host: string
  readonly authorizePath: string
  readonly tokenPath: string
  readonly clientId: string
  readonly scope: string
  /** The cookies of a browser in which the user is signed in, each time another session. */
  signIn(): Promise<string>
  /** What the user sends from a page that stands in the way the first time. */
  readonly consent?: (page: string) => Step | undefined
  stop(): Promise<void>
}

/** A form that a person sends. */
export interface Step {
  readonly path: string
  readonly form: URLSearchParams
}

/** Registered with every issuer; nothing listens there. */
export const redirectUri = 'https://client.bench.test/callback'
export const resource = 'https://warder.bench.test/everything/mcp'
