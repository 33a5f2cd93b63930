import { createGateway, gatewayServerOptions, openDecisionLog } from '@warder/gateway'
import type { OutboundFetch } from '@warder/outbound'
import { policyWarnings } from '@warder/policy'
import { openStore } from '@warder/store'
import { holdDataDirectory, openDataDirectory } from '../data-directory.ts'
import { note, print } from '../output.ts'
import { writeAddress } from './address-file.ts'
import { findTargets, stateName } from './find-targets.ts'
import { issueTokens } from './issue-tokens.ts'
import { listen } from './listen.ts'
import { loadOrProposePolicy } from './load-policy.ts'
import { loadTls } from './load-tls.ts'
import { logToTerminal } from './log-to-terminal.ts'
import { createOpenParts, type OpenParts } from './open-parts.ts'
import { openServers, routeTo, servedResource } from './open-server.ts'
import { ownerLinkForEyes } from './owner-link-for-eyes.ts'
import { proveOwn } from './prove-own.ts'
import type { ProtectOptions } from './read-options.ts'
import { serve } from './serve.ts'
import { showInsideProof } from './show-inside-proof.ts'
import { startScreen } from './start-screen.ts'
import { trustIssuer } from './trust-issuer.ts'
import { untilSignal } from './until-signal.ts'
import { watchPolicy } from './watch-policy.ts'

/** What a start takes from outside. */
export interface Surroundings {
  /** Makes the fetch for URLs that clients choose; our own origins are never fetched. */
  createFetch(ownOrigins: readonly string[]): OutboundFetch
}

/**
 * Protects MCP servers until Ctrl-C or SIGTERM, and answers the exit code. Whatever was opened is closed then, also when
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

/**
 * The composition root: one process and one port with the authorization server, and for each protected server a guard and
 * a route of the gateway.
 */
async function open(options: ProtectOptions, { createFetch }: Surroundings, parts: OpenParts): Promise<void> {
  const plan = findTargets(options)
  const directory = openDataDirectory(options.dataPath(stateName(plan)))
  await parts.add(holdDataDirectory(directory))

  // The port comes first: it is the cheapest thing that can fail, and the addresses depend on it.
  const door = await listen({
    host: options.host,
    port: options.port,
    server: gatewayServerOptions,
    tls: loadTls(options.tls),
  })
  await parts.add(door.close)
  const publicUrl = options.publicUrl(door.port)

  const hosting = {
    share: options.share,
    sandbox: options.sandbox
      ? { hidden: [directory.path, ...(options.tls === undefined ? [] : [options.tls.keyFile])] }
      : undefined,
  }
  const servers = await openServers(plan.targets, { publicUrl, hosting }, parts)
  const loaded = loadOrProposePolicy(plan, servers[0].inventory, options)
  const { policy, onNarrowed, stop } = watchPolicy(plan.policyFile, loaded.policy, note)
  await parts.add(stop)

  const store = await openStore({ file: directory.database })
  await parts.add(() => store.close())
  writeAddress(directory, publicUrl)
  const { secret } = directory
  const issuing =
    options.issuer === undefined
      ? await issueTokens({
          issuer: publicUrl,
          store,
          policy,
          served: servers.map(servedResource),
          fetch: createFetch([publicUrl]),
          secret,
          log: logToTerminal,
        })
      : await trustIssuer(options.issuer, policy)
  await parts.add(issuing.stop)

  const log = await openDecisionLog(directory.log)
  await parts.add(() => log.close())
  const gateway = createGateway({
    routes: servers.map((server) => routeTo(server, { policy, issuing, secret })),
    log,
    allowedHosts: [new URL(publicUrl).host],
    allowedOrigins: [new URL(publicUrl).origin],
  })
  await parts.add(() => gateway.close())
  issuing.onEnded((ended) => gateway.closeStreams(ended))
  onNarrowed(() => gateway.closeStreams(() => true))

  door.answer(
    serve({
      publicUrl,
      gateway,
      authorizationServer: issuing.authorizationServer,
      ready: () => store.ping(),
      trustProxy: options.trustProxy,
    }),
  )

  for (const warning of policyWarnings(policy())) note(`Warning: ${warning}`)
  const started = {
    policy: policy(),
    servers: await proveOwn(servers),
    issuer: issuing.guard.issuer,
    ownerLink: await ownerLinkForEyes(issuing, process.stdout.isTTY === true && !options.json),
    policyFile: options.policyFile,
    policyIsNew: loaded.isNew,
    dataPath: directory.path,
  }
  print(startScreen(started, options.json))
  await showInsideProof(servers, {
    policy: policy(),
    issuer: options.issuer,
    json: options.json,
    parts,
  })
}
