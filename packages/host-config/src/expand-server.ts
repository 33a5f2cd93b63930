import { expandText, type Surroundings } from './expand.ts'
import type { Finding } from './finding.ts'
import { dialects } from './hosts/dialects.ts'
import { isHeaderValue } from './hosts/entry-reader.ts'
import type { HostPlaces } from './hosts/places.ts'
import { isSecretName } from './secrets/looks-secret.ts'
import type { ServerConfig, Texts } from './server-config.ts'

/**
 * What an entry says once its variables are put in. Holds secrets: never print it, use `ServerConfig` for
 * that.
 */
export interface ExpandedServer {
  readonly url?: string
  readonly headers?: Texts
  readonly command?: string
  readonly args?: readonly string[]
  readonly env?: Texts
  /** Variables that nobody has set; their literal text stands where they were. */
  readonly findings: readonly Finding[]
  /** Why this server must not be connected to as it is, in words. */
  readonly blocks: readonly string[]
}

/** Puts the variables into an entry, for the moment of its use. */
export function expandServer(
  server: ServerConfig,
  { places, project }: { readonly places: HostPlaces; readonly project: string },
): ExpandedServer {
  const style = dialects[server.source.host].expansion
  const around = surroundingsOf(server, places, project)
  const findings: Finding[] = []
  const blocks: string[] = []
  const expand = (text: string, what: string, mustBeWhole: boolean): string => {
    const { text: expanded, unset } = expandText(text, style, around)
    for (const name of unset) {
      const message = `The variable ${name} in ${what} is not set and has no default.`
      findings.push({
        level: 'warning',
        rule: 'unset-variable',
        message,
        place: server.source,
        server: server.name,
      })
      if (mustBeWhole) blocks.push(`the variable ${name} in ${what} is not set`)
    }
    return expanded
  }
  const all = (
    texts: Texts | undefined,
    what: string,
    mustBeWhole: (name: string) => boolean,
  ): Texts | undefined =>
    texts === undefined
      ? undefined
      : toTexts(
          Object.entries(texts).map(([name, text]) => [
            name,
            expand(text, `${what} ${name}`, mustBeWhole(name)),
          ]),
        )
  const url = server.url === undefined ? undefined : expand(server.url, 'the URL', true)
  const headers = {
    ...all(server.headers, 'the header', isSecretName),
    ...headersFromEnv(server, around, blocks),
  }
  for (const [name, value] of Object.entries(headers))
    if (!isHeaderValue(value)) blocks.push(`the header ${name} would hold a control character`)
  const env = all(server.env, 'the variable', () => false)
  return {
    ...(url === undefined ? {} : { url: url.trim() }),
    ...(Object.keys(headers).length === 0 ? {} : { headers: toTexts(Object.entries(headers)) }),
    ...(server.command === undefined ? {} : { command: expand(server.command, 'the command', true) }),
    ...(server.args === undefined
      ? {}
      : { args: server.args.map((arg, at) => expand(arg, `argument ${at + 1}`, false)) }),
    ...(env === undefined ? {} : { env }),
    findings,
    blocks,
  }
}

function surroundingsOf({ source }: ServerConfig, { env, home }: HostPlaces, project: string): Surroundings {
  if (source.plugin === undefined) return { env, home, project }
  return { env, home, project, own: { CLAUDE_PLUGIN_ROOT: source.plugin.root, CLAUDE_PROJECT_DIR: project } }
}

function headersFromEnv(
  { headersFromEnv: from = {} }: ServerConfig,
  { env }: Surroundings,
  blocks: string[],
): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>
  for (const [name, { variable, prefix }] of Object.entries(from)) {
    const value = Object.hasOwn(env, variable) ? env[variable] : undefined
    if (value !== undefined && value !== '') headers[name] = prefix + value
    else if (isSecretName(name)) blocks.push(`the variable ${variable} for the header ${name} is not set`)
  }
  return headers
}

function toTexts(entries: readonly (readonly [string, string])[]): Texts {
  const texts = Object.create(null) as Record<string, string>
  for (const [name, text] of entries) texts[name] = text
  return texts
}
