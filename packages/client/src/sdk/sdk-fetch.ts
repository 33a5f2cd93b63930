import type { Client } from '../client.ts'

/** What the SDKs call `FetchLike`. */
export type SdkFetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/**
 * The client's fetch as the transports of the MCP SDKs take it (option `fetch`, without an `authProvider`): the best of the three
 * ways, since everything happens inside one request: refresh, sign-in, step-up by policy, DPoP.
 *
 * Bodies are strings, as those of both SDKs are; another kind throws a TypeError.
 */
export function sdkFetch(client: Pick<Client, 'fetch'>): SdkFetch {
  return async (url, { method, headers, body, signal } = {}) => {
    const isText = body === undefined || body === null || typeof body === 'string'
    if (!isText) throw new TypeError('the body of a request to an MCP server is a string')
    return client.fetch(String(url), {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      ...(typeof body === 'string' && { body }),
      ...(signal && { signal }),
    })
  }
}
