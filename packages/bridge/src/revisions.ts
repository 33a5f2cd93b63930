import { readFileSync } from 'node:fs'
import { isStatelessVersion, type JsonObject, supportedVersions } from '@warder/protocol'

export const statelessVersion = '2026-07-28'
export const newestSessionVersion = '2025-11-25'

/** Served over HTTP to clients with sessions. */
export const servedSessionVersions: readonly string[] = supportedVersions.filter(
  (version) => !isStatelessVersion(version),
)

/** Accepted from a child. */
export const knownSessionVersions: readonly string[] = [...servedSessionVersions, '2024-11-05']

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
)

/** Who we are, to a child. */
export const ourself: JsonObject = { name: 'warder', version: manifest.version }
