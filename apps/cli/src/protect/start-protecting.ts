import { createStdioHost, type StdioHost } from '@warder/bridge'
import {
  createGateway,
  gatewayServerOptions,
  httpUpstream,
  openDecisionLog,
  stdioUpstream,
} from '@warder/gateway'
import { createGuard } from '@warder/guard'
import type { OutboundFetch } from '@warder/outbound'
import { policyWarnings } from '@warder/policy'
import { openStore } from '@warder/store'
import { openDataDirectory } from '../data-directory.ts'
import { note, print } from '../output.ts'
import type { ProofRow } from '../prove/proof.ts'
import { proveFromOutside } from '../prove/prove-from-outside.ts'
import { writeAddress } from './address-file.ts'
import { childEnvironment } from './child-environment.ts'
import { inspectUpstream } from './inspect-upstream.ts'
import { issueTokens } from './issue-tokens.ts'
import { listen } from './listen.ts'
import { findTarget, loadOrProposePolicy, type Target } from './load-policy.ts'
import { logToTerminal } from './log-to-terminal.ts'
import { createOpenParts, type OpenParts } from './open-parts.ts'
import type { ProtectOptions } from './read-options.ts'
import { serve } from './serve.ts'
import { startScreen } from './start-screen.ts'
import { trustIssuer } from './trust-issuer.ts'
import { untilSignal } from './until-signal.ts'

/** What a start takes from outside. */
export interface Surroundings {
  /** Makes the fetch for URLs that clients choose; our own origins are never fetched. */
  createFetch(ownOrigins: readonly string[]): OutboundFetch
}

/**
 * Protects one MCP server until Ctrl-C or SIGTERM, and answers the exit code. Whatever was opened is closed then, also when
 * the start fails or is broken off.
 */
export async function startProtecting(options: ProtectOptions, surroundings: Surroundings): Promise<number> {
  const parts = createOpenParts()
  const signal = untilSignal()
  try {
    await Promise.race([signal, open(options, surroundings, parts)])
    await signal
    return 0
  } finally {
    await parts.closeAll()
  }
}

/** The composition root: one process and one port with the authorization server, the guard and the gateway. */
async function open(options: ProtectOptions, { createFetch }: Surroundings, parts: OpenParts): Promise<void> {
  const target = findTarget(options)
  const directory = openDataDirectory(options.dataPath(target.name))

  // The port comes first: it is the cheapest thing that can fail, and the address depends on it.
  const door = await listen({ host: options.host, port: options.port, server: gatewayServerOptions })
  await parts.add(door.close)
  const publicUrl = options.publicUrl(door.port)
  const endpoint = `${publicUrl}/${target.name}/mcp`

  note(`Looking at the tools of ${target.name} …`)
  const upstream = openUpstream(target)
  if ('close' in upstream) await parts.add(upstream.close)
  const inventory = await inspectUpstream(upstream)
  const { policy, server, isNew } = loadOrProposePolicy(target, inventory, options)

  const store = await openStore({ file: directory.database })
  await parts.add(() => store.close())
  writeAddress(directory, publicUrl)
  const { secret } = directory
  const issuing =
    options.issuer === undefined
      ? await issueTokens({
          issuer: publicUrl,
          store,
          policy: () => policy,
          served: { resource: endpoint, server: server.name, title: server.name, tools: inventory.tools },
          fetch: createFetch([publicUrl]),
          secret,
          log: logToTerminal,
        })
      : await trustIssuer(options.issuer, policy)
  await parts.add(issuing.stop)

  const guard = createGuard({
    resource: endpoint,
    server: server.name,
    policy: () => policy,
    ...issuing.guard,
  })
  const log = await openDecisionLog(directory.log)
  await parts.add(() => log.close())
  const gateway = createGateway({
    routes: [
      {
        path: `/${server.name}/mcp`,
        guard,
        upstream: 'url' in upstream ? httpUpstream({ url: upstream.url, secret }) : stdioUpstream(upstream),
      },
    ],
    log,
    allowedHosts: [new URL(publicUrl).host],
    allowedOrigins: [new URL(publicUrl).origin],
  })
  await parts.add(() => gateway.close())
  issuing.onEnded((ended) => gateway.closeStreams(ended))

  const { authorizationServer } = issuing
  door.answer(
    serve({
      publicUrl,
      gateway,
      authorizationServer,
      ready: () => store.ping(),
      trustProxy: options.trustProxy,
    }),
  )

  for (const warning of policyWarnings(policy)) note(`Warning: ${warning}`)
  if (inventory.open) note(openDoorWarning(server.url ?? ''))
  const started = {
    server,
    endpoint,
    issuer: issuing.guard.issuer,
    ownerLink: await issuing.ownerLink(),
    policyFile: options.policyFile,
    policyIsNew: isNew,
    dataPath: directory.path,
    inventory,
    proof: await proveOwn(endpoint),
  }
  print(startScreen(started, options.json))
}

function openUpstream({ upstream, loaded }: Target): StdioHost | { readonly url: string } {
  if ('url' in upstream) return upstream
  const { run } = upstream
  const env = childEnvironment({ name: run[0] ?? '', env: loaded?.server.env ?? [] })
  return createStdioHost({ command: run, env, log: logToTerminal })
}

function openDoorWarning(url: string): string {
  return `Warning: anybody who reaches ${url} can call it without a token. Warder cannot protect a port that others reach: let that server listen on 127.0.0.1, or put it behind a firewall.`
}

/** The outside proof of our own endpoint; behind a public name it may be out of reach from here, which is no fault. */
async function proveOwn(endpoint: string): Promise<readonly ProofRow[]> {
  try {
    return await proveFromOutside(endpoint)
  } catch (error) {
    note(
      `The outside proof could not reach ${endpoint} from here: ${error instanceof Error ? error.message : String(error)}`,
    )
    return []
  }
}
