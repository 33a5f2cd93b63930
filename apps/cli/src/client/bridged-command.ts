import { parseArgs } from 'node:util'
import { bridgeTargets, type ServerConfig, type ServerToolOptions } from '@warder/host-config'
import { isAddress } from './connect-arguments.ts'
import { connectOptions } from './connect-options.ts'

/** What an entry such as `warder connect URL --deny-tool "delete_*"` says. */
export interface BridgedCommand {
  readonly word: string | undefined
  readonly tools: Pick<ServerToolOptions, 'allow' | 'deny'>
}

/** Where an entry that is Warder's own bridge leads to. */
export function bridgedUrl(server: ServerConfig): string | undefined {
  if (bridgeTargets(server) === undefined) return undefined
  const { word } = readBridgedCommand(server.args ?? [])
  return word !== undefined && isAddress(word) ? word : undefined
}

/** By the same options as the command itself reads: the value of another option is no server. */
export function readBridgedCommand(argv: readonly string[]): BridgedCommand {
  const { values, positionals } = parseArgs({
    args: argv.slice(argv.indexOf('connect') + 1),
    options: Object.fromEntries(
      Object.entries(connectOptions).map(([name, { value, short }]) => [
        name,
        {
          type: value === undefined ? ('boolean' as const) : ('string' as const),
          multiple: true,
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
    allowPositionals: true,
    // What it refuses is not what is asked for here.
    strict: false,
  })
  const all = (name: string): readonly string[] =>
    [values[name] ?? []].flat().filter((glob) => typeof glob === 'string')
  const [word] = positionals
  return { word, tools: { allow: all('allow-tool'), deny: [...all('deny-tool'), ...all('ignore-tool')] } }
}
