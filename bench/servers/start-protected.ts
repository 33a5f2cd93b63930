import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildWarder } from '../measure/build-warder.ts'
import { type Child, startChild } from '../measure/child.ts'
import { findFreePort } from '../measure/free-port.ts'
import { makeTokenIssuer } from '../measure/tokens.ts'

/** `warder protect`, with a foreign issuer whose tokens the bench makes itself. */
export interface Protected {
  readonly child: Child
  readonly endpoint: string
  readonly tokens: readonly string[]
  /** Milliseconds until Warder was compiled and the issuer stood. */
  readonly issuerTook: number
  stop(): Promise<void>
}

/** Starts it, compiled as it is published, with a policy file that names the server by `run: [...]` or `url: ...`. */
export async function startProtected(
  upstream: { readonly run: readonly string[] } | { readonly url: string },
): Promise<Protected> {
  const begun = performance.now()
  const program = await buildWarder()
  const directory = mkdtempSync(join(tmpdir(), 'warder-bench-'))
  const issuerPort = await findFreePort()
  const issuer = await makeTokenIssuer(`http://127.0.0.1:${issuerPort}`)
  const issuing = await startChild({
    program: join(import.meta.dirname, 'issuer.ts'),
    args: [String(issuerPort), JSON.stringify(issuer.jwks)],
  })
  const target = 'run' in upstream ? `run: ${JSON.stringify(upstream.run)}` : `url: ${upstream.url}`
  writeFileSync(join(directory, 'warder.yaml'), echoPolicy(target))
  const port = await findFreePort()
  const issuerTook = performance.now() - begun
  const child = await startChild({
    program,
    args: [
      'protect',
      '--json',
      '--port',
      String(port),
      '--data',
      join(directory, 'data'),
      '--issuer',
      issuer.issuer,
    ],
    cwd: directory,
  })
  const endpoint = `http://localhost:${port}/echo/mcp`
  return {
    child,
    endpoint,
    issuerTook,
    tokens: await issuer.issue(endpoint, 'echo:use', 1),
    async stop() {
      await child.stop()
      await issuing.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const echoPolicy = (target: string): string => `version: 1
servers:
  echo:
    ${target}
    scopes: { echo:use: { title: Use it, basic: true } }
    tools: [{ match: echo, scopes: [echo:use] }]
access:
  - { who: { user: ann }, client: any, may: [echo:use] }
`
