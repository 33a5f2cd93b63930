/** Programs that make a remote server look like a local one: their address is an argument. */
const wrappers = /(?:^|[\\/\s"'@:=])(?:mcp-remote|mcp-proxy|supergateway)(?=$|[@\s"'.\\/])/i

const anyUrl = /\b(?:https?|wss?):\/\/[^\s"'`;|&<>()]+/gi

/**
 * What a command leads to when it wraps a remote server: its URLs, or the names that Warder knows them by.
 */
export interface Wrapped {
  readonly urls: readonly string[]
  readonly names: readonly string[]
}

/**
 * The remote servers behind a command line such as `npx mcp-remote URL` or `warder connect NAME`; undefined
 * for a command that is no such wrapper. Every URL among the arguments counts: which of them the wrapper
 * takes, its own options decide.
 */
export function readWrapped(argv: readonly string[]): Wrapped | undefined {
  const bridged = readBridge(argv)
  if (bridged === undefined && !argv.some((arg) => wrappers.test(arg))) return undefined
  const urls = argv.flatMap((arg) => arg.match(anyUrl) ?? [])
  return { urls: [...new Set(urls)], names: (bridged ?? []).filter((word) => !urls.includes(word)) }
}

/**
 * The words behind `warder connect` that may be what it leads to, a name or a URL; undefined for another command.
 * Which of them belong to options, its own command line decides.
 */
export function readBridge(argv: readonly string[]): readonly string[] | undefined {
  const connect = argv.indexOf('connect')
  const isOurs =
    connect > 0 &&
    argv.slice(0, connect).some((arg) => /(?:^|[\\/])warder(?:\.(?:cmd|exe|js))?(?:@.*)?$/i.test(arg))
  return isOurs ? argv.slice(connect + 1).filter((arg) => !arg.startsWith('-')) : undefined
}
