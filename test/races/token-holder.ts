import {
  type CredentialStore,
  chooseStore,
  TokenEndpointError,
  type TokenSet,
  useTokens,
} from '@warder/client'
import { createOutbound } from '@warder/outbound'

/** Where in its refresh a process shall end as if by kill -9. */
export type Point = 'before the request' | 'after the answer' | 'after writing'

export type Order = { readonly kind: 'open'; readonly server: string; readonly name: string } | UseOrder

export interface UseOrder {
  readonly kind: 'use'
  readonly now: number
  readonly rejected?: string
  /** A second caller in the same process, at the same moment, whose token the resource has refused. */
  readonly besideRejected?: string
  readonly dieAt?: Point
}

export interface Answer {
  readonly accessToken?: string | undefined
  /** What was thrown, in words. */
  readonly thrown?: string
}

const outbound = createOutbound({ reach: 'loopback' })

let store: CredentialStore
let server = ''
let name = ''

const die = (): void => {
  process.kill(process.pid, 'SIGKILL')
}

async function refresh(tokens: TokenSet, now: number, dieAt: Point | undefined): Promise<TokenSet> {
  if (dieAt === 'before the request') die()
  const body = String(new URLSearchParams({ refresh_token: tokens.refreshToken ?? '' }))
  const answer = await outbound(server, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    statuses: 'any',
    accept: 'application/json',
    maxBytes: 10_000,
    timeoutMs: 20_000,
  })
  if (dieAt === 'after the answer') die()
  const said = JSON.parse(Buffer.from(answer.body).toString())
  if (answer.status !== 200) {
    throw new TokenEndpointError({
      error: said.error,
      status: answer.status,
      transient: answer.status >= 500,
    })
  }
  return { ...said, tokenType: 'Bearer', obtainedAt: now, generation: 0 }
}

/** The same store, in a process that ends once it has written. */
const dyingAfterWriting = (real: CredentialStore): CredentialStore => ({
  ...real,
  async write(key, value) {
    await real.write(key, value)
    die()
  },
})

async function obey(order: Order): Promise<Answer> {
  if (order.kind === 'open') {
    ;({ server, name } = order)
    store = await chooseStore({ env: process.env })
    return {}
  }
  const { besideRejected } = order
  const [tokens] = await Promise.all([
    use(order),
    besideRejected === undefined ? undefined : use({ ...order, rejected: besideRejected }),
  ])
  return { accessToken: tokens?.accessToken }
}

function use({ now, rejected, dieAt }: UseOrder): Promise<TokenSet | undefined> {
  return useTokens({
    store: dieAt === 'after writing' ? dyingAfterWriting(store) : store,
    name,
    refresh: (before) => refresh(before, now, dieAt),
    rejected,
    now: () => now * 1000,
  })
}

process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ thrown: String(error) } satisfies Answer),
  )
})
