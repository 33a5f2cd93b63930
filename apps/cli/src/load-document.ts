import type { OutboundFetch } from '@warder/outbound'
import { isJsonObject, messageOf, readStrictJson } from '@warder/protocol'

/** The JSON object at an address that a server names. Throws an error that names the address and what is wrong. */
export async function loadDocument(
  fetch: OutboundFetch,
  url: string,
): Promise<Readonly<Record<string, unknown>>> {
  const document = await fetch(url, { accept: 'application/json', maxBytes: 256 * 1024, timeoutMs: 10_000 })
    .then(({ body }) => readStrictJson(body))
    .catch((error: unknown) => {
      throw new Error(`${url}: ${messageOf(error)}`)
    })
  if (!isJsonObject(document)) throw new Error(`${url} is not a JSON object`)
  return document
}
