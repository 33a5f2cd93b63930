import type { Secrets } from './secrets.ts'

/** One answer, as it came. */
export interface Recorded {
  readonly url: string
  readonly status: number
  readonly headers: string
  readonly body: string
}

/** Watches every request of this process: what is secret in it and in its answer is remembered. */
export interface Recorder {
  readonly answers: readonly Recorded[]
  stop(): void
}

const secretFields = ['code', 'code_verifier', 'refresh_token', 'password', 'token', 'form_token']

export function recordFetch(secrets: Secrets): Recorder {
  const answers: Recorded[] = []
  const original = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    if (init?.body instanceof URLSearchParams)
      for (const field of secretFields) secrets.add(field, init.body.get(field) ?? undefined)
    const response = await original(input, init)
    const body = await response.clone().text()
    const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n')
    answers.push({ url: response.url, status: response.status, headers, body })
    for (const set of response.headers.getSetCookie()) secrets.add('cookie', /=([^;]*)/.exec(set)?.[1])
    const location = response.headers.get('location')
    if (location !== null)
      secrets.add('code', new URL(location, response.url).searchParams.get('code') ?? undefined)
    for (const [, token] of body.matchAll(/name="form_token" value="([^"]+)"/g))
      secrets.add('form_token', token)
    for (const [, name, value] of body.matchAll(/"(access_token|refresh_token)":"([^"]+)"/g)) {
      secrets.add(name!, value)
      // The signature alone makes a token of the rest, which anybody can write.
      if (name === 'access_token') secrets.add('access_token', value?.split('.')[2])
    }
    return response
  }
  return {
    answers,
    stop() {
      globalThis.fetch = original
    },
  }
}
