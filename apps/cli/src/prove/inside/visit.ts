import { request } from 'undici'

/** An answer of the throwaway authorization server. Redirects are not followed. */
export interface Visited {
  readonly status: number
  readonly location: string | undefined
  readonly cookies: readonly string[]
  readonly body: string
}

export interface Visit {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const deadlineMs = 10_000

/** One request to the throwaway instance; never through a proxy. */
export async function visit(url: string, { method = 'GET', headers = {}, body }: Visit): Promise<Visited> {
  const answer = await request(url, {
    method,
    headers,
    body: body ?? null,
    signal: AbortSignal.timeout(deadlineMs),
  })
  const { location, 'set-cookie': cookies } = answer.headers
  return {
    status: answer.statusCode,
    location: typeof location === 'string' ? location : undefined,
    cookies: [cookies ?? []].flat(),
    body: await answer.body.text(),
  }
}

/** A form, as browsers and clients send it. */
export function postForm(
  url: string,
  fields: readonly (readonly [string, string])[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Visited> {
  const body = new URLSearchParams(fields.map(([name, value]) => [name, value])).toString()
  return visit(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body,
  })
}
