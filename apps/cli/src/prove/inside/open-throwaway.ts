import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createGateway, gatewayServerOptions, httpUpstream, openDecisionLog } from '@warder/gateway'
import { createGuard } from '@warder/guard'
import { openStore, type Store } from '@warder/store'
import { issueTokens } from '../../protect/issue-tokens.ts'
import type { Issuing } from '../../protect/issuing.ts'
import { listen } from '../../protect/listen.ts'
import type { OpenParts } from '../../protect/open-parts.ts'
import { serve } from '../../protect/serve.ts'
import { classOf } from '../../protect/trust-issuer.ts'
import { addThrowawayUsers } from './add-throwaway-users.ts'
import type { Case } from './find-case.ts'
import type { Subject } from './prove-inside.ts'
import { type StubUpstream, startStubUpstream } from './stub-upstream.ts'
import { makeThrowawayClient, type ThrowawayClient, throwawayFetch } from './throwaway-client.ts'
import { makeThrowawayKeys, type ThrowawayKeys } from './throwaway-keys.ts'

/** A whole Warder that lives for one proof: the live policy, everything else its own. */
export interface Throwaway {
  readonly endpoint: string
  /** Another resource that the same issuer names in tokens. */
  readonly elsewhere: string
  readonly stub: StubUpstream
  /** Milliseconds by which its clock is ahead of the time. */
  readonly clock: { ahead: number }
  /** Who signs in, or who signs tokens where another authorization server issues them. */
  readonly issuing: OwnIssuing | ForeignIssuing
}

export interface OwnIssuing {
  readonly kind: 'own'
  readonly client: ThrowawayClient
}

export interface ForeignIssuing {
  readonly kind: 'foreign'
  readonly issuer: string
  readonly keys: ThrowawayKeys
}

interface Ground {
  readonly store: Store
  readonly secret: Uint8Array
  readonly url: string
  readonly endpoint: string
  readonly elsewhere: string
  readonly now: () => number
}

/**
 * Opens the real parts on a free port of this computer, with database and log in `directory`, which the caller deletes.
 * `parts` closes them, also after a failure half-way. Nothing of the live instance is touched.
 */
export async function openThrowaway(
  subject: Subject,
  found: Case,
  directory: string,
  parts: OpenParts,
): Promise<Throwaway> {
  const { policy, server, tools } = subject
  const store = await openStore({ file: join(directory, 'warder.sqlite') })
  await parts.add(() => store.close())
  const secret = new Uint8Array(randomBytes(32))
  const log = await openDecisionLog(join(directory, 'log'), { secret })
  await parts.add(() => log.close())
  const stub = await startStubUpstream(tools)
  await parts.add(stub.close)
  const door = await listen({ host: '127.0.0.1', port: 0, server: gatewayServerOptions })
  await parts.add(door.close)

  const url = `http://localhost:${door.port}`
  const [endpoint, elsewhere] = [`${url}/${server.name}/mcp`, `${url}/elsewhere/mcp`]
  const clock = { ahead: 0 }
  const now = (): number => Date.now() + clock.ahead
  const ground = { store, secret, url, endpoint, elsewhere, now }
  const { guard, authorizationServer, makeIssuing } =
    subject.issuer === undefined
      ? await openOwnIssuer(subject, found, ground, parts)
      : await openForeignIssuer(subject, subject.issuer)

  const gateway = createGateway({
    routes: [
      {
        path: new URL(endpoint).pathname,
        guard: createGuard({ resource: endpoint, server: server.name, policy: () => policy, ...guard, now }),
        upstream: httpUpstream({ url: stub.url, secret }),
      },
    ],
    log,
    secret,
    allowedHosts: [new URL(url).host],
    allowedOrigins: [url],
  })
  await parts.add(() => gateway.close())
  const ready = () => store.ping()
  door.answer(serve({ publicUrl: url, gateway, authorizationServer, ready, trustProxy: false }))
  return { endpoint, elsewhere, stub, clock, issuing: await makeIssuing() }
}

type Opened = Pick<Issuing, 'guard' | 'authorizationServer'> & {
  /** Once the door answers. */
  readonly makeIssuing: () => Promise<Throwaway['issuing']>
}

async function openOwnIssuer(
  { policy, server, tools }: Subject,
  { user, client }: Case,
  { store, secret, url, endpoint, elsewhere, now }: Ground,
  parts: OpenParts,
): Promise<Opened> {
  const credentials = await addThrowawayUsers(store, user)
  const served = { server: server.name, title: server.name, tools: tools.map((name) => ({ name })) }
  const issuing = await issueTokens({
    issuer: url,
    store,
    policy: () => policy,
    served: [endpoint, elsewhere].map((resource) => ({ ...served, resource })),
    fetch: throwawayFetch(client),
    secret,
    // What is refused here is meant to be.
    log: () => undefined,
    now,
  })
  await parts.add(issuing.stop)
  return {
    guard: issuing.guard,
    authorizationServer: issuing.authorizationServer,
    makeIssuing: async () => ({
      kind: 'own',
      client: await makeThrowawayClient({ issuer: url, store, client, resource: endpoint, credentials }),
    }),
  }
}

async function openForeignIssuer({ policy }: Subject, issuer: string): Promise<Opened> {
  const keys = await makeThrowawayKeys()
  return {
    guard: { issuer, keys, clientClass: (id) => classOf(policy, id) },
    authorizationServer: undefined,
    makeIssuing: async () => ({ kind: 'foreign', issuer, keys }),
  }
}
