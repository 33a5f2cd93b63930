import { randomBytes } from 'node:crypto'
import type { CredentialStore, PendingSignIn, PreRegistered } from '@warder/client'
import { isJsonObject, type JsonObject, readStrictText } from '@warder/protocol'
import type { WayChoice } from './way-choice.ts'

/** What a program gets that asked for a sign-in where nobody can click: one line of JSON on standard error, exit code 3. */
export interface AuthRequired {
  readonly error: 'auth_required'
  /** As `showUrl` shows it: the values of its query may be keys. */
  readonly server: string
  readonly reason: string
  /** For a person, in any browser. */
  readonly authorization_url?: string
  /** ISO 8601: nobody takes the answer after that. */
  readonly expires_at?: string
  /** The command that goes on from here; absent where the one that says this goes on by itself. */
  readonly resume?: string
}

/** The line itself. */
export function authRequiredLine(required: Omit<AuthRequired, 'error'>): string {
  return JSON.stringify({ error: 'auth_required', ...required })
}

/** A sign-in that waits for a person, and what this client had at its beginning. It holds secrets. */
export interface Handoff {
  readonly pending: PendingSignIn
  readonly registration?: PreRegistered | undefined
  readonly choice?: WayChoice | undefined
}

const prefix = 'pending-'

/**
 * Puts a sign-in that waits for a person into the credential store, since it holds the verifier and the state, and answers its
 * handle. Those whose time is over are removed. Times are milliseconds since 1970.
 */
export async function keepHandoff(
  store: CredentialStore,
  handoff: Handoff,
  { expiresAt, now }: { readonly expiresAt: number; readonly now: number },
): Promise<string> {
  const others = (await store.list()).filter((name) => name.startsWith(prefix))
  for (const name of others) if ((await read(store, name, now)) === undefined) await store.remove(name)
  const handle = randomBytes(16).toString('hex')
  // A private key stays where the user has it.
  const registration = handoff.registration && { ...handoff.registration, assertionKey: undefined }
  const text = JSON.stringify({ expiresAt, handoff: { ...handoff, registration } })
  await store.write(`${prefix}${handle}`, text)
  return handle
}

/** The sign-in of a handle; undefined when there is none, or its time is over. It stays. */
export async function findHandoff(
  store: CredentialStore,
  handle: string,
  now: number,
): Promise<Handoff | undefined> {
  return /^[0-9a-f]{32}$/.test(handle) ? read(store, `${prefix}${handle}`, now) : undefined
}

/** Takes it out: of several who try, one may finish it. Answers whether that is this one. */
export async function takeHandoff(store: CredentialStore, handle: string): Promise<boolean> {
  const name = `${prefix}${handle}`
  return store.locked(name, async () => {
    const isThere = (await store.read(name)) !== undefined
    await store.remove(name)
    return isThere
  })
}

async function read(store: CredentialStore, name: string, now: number): Promise<Handoff | undefined> {
  const text = await store.read(name)
  const kept = text === undefined ? undefined : readObject(text)
  const expiresAt = kept?.['expiresAt']
  if (typeof expiresAt !== 'number' || expiresAt <= now) return undefined
  // Nobody but `keepHandoff` writes here, and what is proven with it is proven again.
  return isJsonObject(kept?.['handoff']) ? (kept['handoff'] as unknown as Handoff) : undefined
}

function readObject(text: string): JsonObject | undefined {
  try {
    const value = readStrictText(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
