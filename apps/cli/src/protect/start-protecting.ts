import { hostname } from 'node:os'
import { createGateway, gatewayServerOptions, openDecisionLog } from '@warder/gateway'
import type { OutboundFetch } from '@warder/outbound'
import { policyWarnings } from '@warder/policy'
import { holdDataDirectory, openDataDirectory } from '../data-directory.ts'
import { loadSecret } from '../load-secret.ts'
import { note, notePlain, print } from '../output.ts'
import { writeAddress } from './address-file.ts'
import { checkReady } from './check-ready.ts'
import { findTargets, stateName } from './find-targets.ts'
import { issueTokens } from './issue-tokens.ts'
import { listen } from './listen.ts'
import { loadTls } from './load-tls.ts'
import { createRefusalLog } from './log-to-terminal.ts'
import { createOpenParts, type OpenParts } from './open-parts.ts'
import { openPolicy } from './open-policy.ts'
import { openServers, routeTo, servedResource } from './open-server.ts'
import { openState } from './open-state.ts'
import { ownerLinkForEyes } from './owner-link-for-eyes.ts'
import { proveOwn } from './prove-own.ts'
import type { ProtectOptions } from './read-options.ts'
import { sayHearing } from './say-hearing.ts'
import { serve } from './serve.ts'
import { checkNoPolicy } from './share-policy.ts'
import { showInsideProof } from './show-inside-proof.ts'
import { startScreen } from './start-screen.ts'
import { stateWords } from './state-words.ts'
import { trustIssuer } from './trust-issuer.ts'
import { untilSignal } from './until-signal.ts'

/** What a stop waits for answers that are on their way; less than systemd and container platforms wait for us. */
const finishMs = 10_000

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
  const secret = loadSecret(directory, options.secretFile)

  // The port comes first: it is the cheapest thing that can fail, and the addresses depend on it.
  const door = await listen({
    host: options.host,
    port: options.port,
    server: gatewayServerOptions,
    tls: loadTls(options.tls),
    trustProxy: options.trustProxy,
  })
  await parts.add(door.close)
  const publicUrl = options.publicUrl(door.port)

  const store = await openState({ options, directory, secret, publicUrl }, parts)
  writeAddress(directory, publicUrl)
  const { policyFile } = plan
  const node = `${hostname()}:${door.port}`
  const sharing = options.database && { store, node, policyFile, now: Date.now, say: notePlain }
  if (sharing !== undefined && plan.file === undefined) await checkNoPolicy(sharing)

  const hosting = {
    share: options.share,
    sandbox: options.sandbox
      ? {
          hidden: [directory.path, options.tls?.keyFile, options.secretFile].filter(
            (path) => path !== undefined,
          ),
        }
      : undefined,
  }
  const servers = await openServers(plan.targets, { publicUrl, hosting }, parts)
  const live = await openPolicy({ plan, inventory: servers[0].inventory, options, sharing }, parts)
  const { policy } = live

  const issuing =
    options.issuer === undefined
      ? await issueTokens({
          issuer: publicUrl,
          store,
          policy,
          served: servers.map(servedResource),
          fetch: createFetch([publicUrl]),
          secret,
          log: createRefusalLog(),
          onPolicy: live.catchUp,
          onHearing: sayHearing,
        })
      : await trustIssuer(options.issuer, policy)
  await parts.add(issuing.stop)

  const log = await openDecisionLog(directory.log, { secret })
  await parts.add(() => log.close())
  const gateway = createGateway({
    routes: servers.map((server) => routeTo(server, { policy, issuing, secret })),
    log,
    secret,
    allowedHosts: [new URL(publicUrl).host],
    allowedOrigins: [new URL(publicUrl).origin],
  })
  await parts.add(() => gateway.close())
  issuing.onEnded((ended) => gateway.closeStreams(ended))
  live.onNarrowed(() => gateway.closeNarrowed())

  door.answer(
    serve({
      publicUrl,
      gateway,
      authorizationServer: issuing.authorizationServer,
      ready: () => checkReady(store, issuing),
      trustProxy: options.trustProxy,
    }),
  )
  await parts.add(() => {
    gateway.closeNews()
    return door.finish(finishMs)
  })

  for (const warning of policyWarnings(policy())) note(`Warning: ${warning}`)
  const toFindIt = stateWords(directory, plan)
  const started = {
    policy: policy(),
    servers: await proveOwn(servers),
    issuer: issuing.guard.issuer,
    ownerLink: await ownerLinkForEyes(issuing, process.stdout.isTTY === true && !options.json, toFindIt),
    policyFile,
    policySource: live.source,
    policyIsNew: live.isNew,
    dataPath: directory.path,
    stateWords: toFindIt,
    database: options.database?.shown,
  }
  print(startScreen(started, options.json))
  await showInsideProof(servers, {
    policy: policy(),
    issuer: options.issuer,
    json: options.json,
    parts,
  })
}
