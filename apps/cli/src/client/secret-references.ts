import type { CredentialStore } from '@warder/client'
import { readSecretReference } from '@warder/host-config'
import { isJsonObject, ownValue, readStrictText } from '@warder/protocol'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'
import { checkHeaders, serverList } from './check-headers.ts'
import type { FoundServer } from './find-server.ts'
import { runHeaderHelper } from './header-helper.ts'

type OpenStore = () => Promise<CredentialStore>

/**
 * The headers of a server as they are sent: those of its entry with what the credential store keeps put in,
 * and on top of them what its headers helper prints. Ask for them at each connect, and once more after a 401
 * or 403. The store is opened only when a reference wants it.
 */
export async function loadHeaders(
  found: FoundServer,
  { store }: { readonly store: CredentialStore | OpenStore },
): Promise<Record<string, string>> {
  const open = once(typeof store === 'function' ? store : async () => store)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(found.headers))
    headers[name] = await resolveValue(name, value, found, open)
  for (const [name, value] of Object.entries(await runHeaderHelper(found))) {
    for (const other of Object.keys(headers))
      if (other.toLowerCase() === name.toLowerCase()) delete headers[other]
    headers[name] = value
  }
  checkHeaders(headers, found.server, serverList)
  return headers
}

/** Keeps a secret under a name, for one origin only. */
export async function keepSecret(
  store: CredentialStore,
  name: string,
  value: string,
  server: string,
): Promise<void> {
  const record = JSON.stringify({ version: 1, origin: new URL(server).origin, value })
  await store.locked(storeName(name), () => store.write(storeName(name), record))
}

/** For which origin there is a secret of this name; undefined when there is none. */
export async function secretOrigin(store: CredentialStore, name: string): Promise<string | undefined> {
  return readKept(await store.read(storeName(name)))?.origin
}

function storeName(name: string): string {
  return `header-secret.${name}`
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

async function resolveValue(
  name: string,
  value: string,
  found: FoundServer,
  open: OpenStore,
): Promise<string> {
  const reference = readReference(name, value)
  if (reference === undefined) return value
  const kept = readKept(await (await open()).read(storeName(reference.name)))
  const called = `keychain://${reference.name}`
  if (kept === undefined)
    throw new Problem(
      `there is no secret ${called} for the header ${plain(name)}. Give it: ` +
        `warder add ${plain(found.name ?? 'NAME')} ${plain(found.server)} --replace --header "${plain(name)}: ${plain(value)}" --secret-stdin`,
    )
  // Whoever writes a list of servers chooses name and URL: the secret of one server must not go to another.
  const { origin } = new URL(found.server)
  if (kept.origin !== origin)
    throw new Problem(
      `the secret ${called} is kept for ${plain(kept.origin)}, not for ${plain(origin)}. Nothing was sent.`,
    )
  return reference.prefix + kept.value
}

function readReference(name: string, value: string): ReturnType<typeof readSecretReference> {
  try {
    return readSecretReference(value)
  } catch (error) {
    if (error instanceof RangeError) throw new Problem(`the header ${plain(name)}: ${error.message}`)
    throw error
  }
}

function readKept(text: string | undefined): { readonly origin: string; readonly value: string } | undefined {
  if (text === undefined) return undefined
  const record = readStrictText(text)
  if (!isJsonObject(record) || ownValue(record, 'version') !== 1) return undefined
  const [origin, value] = [ownValue(record, 'origin'), ownValue(record, 'value')]
  return typeof origin === 'string' && typeof value === 'string' ? { origin, value } : undefined
}
