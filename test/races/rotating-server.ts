import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * A real authorization server of one user, on a clock that the test sets. Each refresh token is good once: used again, it ends
 * all tokens of the user, but where a client may repeat itself within the grace time.
 */
export interface RotatingServer extends AsyncDisposable {
  readonly url: string
  /** Seconds. */
  now: number
  /** What the refresh requests came to, in their order. */
  readonly outcomes: ('rotated' | 'repeated' | 'replayed' | 'dead' | 'down')[]
  isDown: boolean
  /** Milliseconds for which an answer is kept back. */
  slowMs: number
  /** A sign-in: new tokens, whatever was before. */
  signIn(): { readonly accessToken: string; readonly refreshToken: string; readonly expiresAt: number }
  /** Whether a resource server would take the access token now. */
  accepts(accessToken: string): boolean
}

export const lifetime = 60

export async function startRotatingServer(graceSeconds: number): Promise<RotatingServer> {
  let serial = 0
  let isDead = true
  let current = ''
  let last: { readonly used: string; readonly at: number } | undefined
  const ends = new Map<string, number>()

  const issue = (): { accessToken: string; refreshToken: string; expiresAt: number } => {
    serial += 1
    current = `canary-refresh-${serial}`
    const expiresAt = server.now + lifetime
    ends.set(`canary-access-${serial}`, expiresAt)
    return { accessToken: `canary-access-${serial}`, refreshToken: current, expiresAt }
  }
  const successor = (): ReturnType<typeof issue> => ({
    accessToken: `canary-access-${serial}`,
    refreshToken: current,
    expiresAt: ends.get(`canary-access-${serial}`) ?? 0,
  })
  const judge = (presented: string | null): RotatingServer['outcomes'][number] => {
    if (server.isDown) return 'down'
    if (isDead) return 'dead'
    if (presented === current) return 'rotated'
    const isRetry = presented === last?.used && server.now - (last?.at ?? 0) < graceSeconds
    return isRetry ? 'repeated' : 'replayed'
  }

  const http = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const presented = new URLSearchParams(body).get('refresh_token')
    const outcome = judge(presented)
    server.outcomes.push(outcome)
    await delay(server.slowMs)
    if (outcome === 'replayed') {
      isDead = true
      ends.clear()
    }
    if (outcome === 'rotated') last = { used: presented ?? '', at: server.now }
    const tokens = outcome === 'rotated' ? issue() : outcome === 'repeated' ? successor() : undefined
    const status = tokens ? 200 : outcome === 'down' ? 503 : 400
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(tokens ?? { error: outcome === 'down' ? 'server_error' : 'invalid_grant' }))
  })
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))

  const server: RotatingServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/token`,
    now: 1_000_000,
    outcomes: [],
    isDown: false,
    slowMs: 0,
    signIn() {
      isDead = false
      last = undefined
      return issue()
    },
    accepts: (accessToken) => (ends.get(accessToken) ?? 0) > server.now,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((done) => http.close(done))
    },
  }
  return server
}
