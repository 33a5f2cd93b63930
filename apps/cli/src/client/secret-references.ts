import type { CredentialStore } from '@warder/client'
import {
  isHeaderName,
  isHeaderValue,
  isSecretName,
  readSecretReference,
  type Texts,
} from '@warder/host-config'
import { isJsonObject, ownValue, readStrictText } from '@warder/protocol'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'
import type { FoundServer } from './find-server.ts'
import { runHeaderHelper } from './header-helper.ts'

type OpenStore = () => Promise<CredentialStore>

/** Headers that belong to HTTP and to MCP, not to whoever writes a list of servers. */
const kept = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'last-event-id',
  'mcp-protocol-version',
  'mcp-session-id',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

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
  checkHeaders(headers, found)
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

/** Whether there is a secret of this name. */
export async function hasSecret(store: CredentialStore, name: string): Promise<boolean> {
  return (await store.read(storeName(name))) !== undefined
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

function checkHeaders(headers: Texts, { server }: FoundServer): void {
  const { protocol, hostname } = new URL(server)
  const isPlain = protocol === 'http:' && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
  for (const [name, value] of Object.entries(headers)) {
    if (!isHeaderName(name) || !isHeaderValue(value))
      throw new Problem(`the header ${plain(name)} cannot be sent as it is.`)
    if (kept.has(name.toLowerCase()))
      throw new Problem(`the header ${plain(name)} is not for a list of servers to set.`)
    if (isPlain && isSecretName(name))
      throw new Problem(
        `the header ${plain(name)} would cross the network in the clear: ${plain(server)} is not https. Nothing was sent.`,
      )
  }
}
