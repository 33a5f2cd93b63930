/** Programs that make a remote server look like a local one: their address is an argument. */
const wrappers = /(?:^|[\\/\s"'@:=])(?:mcp-remote|mcp-proxy|supergateway)(?=$|[@\s"'.\\/])/i

const anyUrl = /\b(?:https?|wss?):\/\/[^\s"'`;|&<>()]+/gi

/**
 * What a command leads to when it wraps a remote server: its URLs, or the names that Warder knows them by.
 */
export interface Wrapped {
  readonly urls: readonly string[]
  readonly names: readonly string[]
  /** One of its addresses can be read in more than one way: nobody can say where the wrapper takes it to. */
  readonly isAmbiguous: boolean
}

/**
 * The remote servers behind a command line such as `npx mcp-remote URL` or `warder connect NAME`; undefined
 * for a command that is no such wrapper. Every URL among the arguments counts: which of them the wrapper
 * takes, its own options decide.
 *
 * A URL is looked for in two ways: wherever in an argument one begins, and as what a whole argument, the
 * value of an option or a word of a script is to a URL parser, which takes `https:/host` too.
 */
export function readWrapped(argv: readonly string[]): Wrapped | undefined {
  const bridged = readBridge(argv)
  if (bridged === undefined && !argv.some((arg) => wrappers.test(arg))) return undefined
  const inside = argv.flatMap((arg) => arg.match(anyUrl) ?? [])
  const whole = argv.flatMap(readWords).filter((word) => webAddress.test(word))
  const urls = [...new Set([...inside, ...whole])]
  return {
    urls,
    names: (bridged ?? []).filter((word) => !urls.includes(word)),
    isAmbiguous: urls.some(isAmbiguousUrl),
  }
}

const webAddress = /^(?:https?|wss?):/i

/** An argument, the value of an option in it, and its words without quotes; as a URL parser trims them. */
function readWords(arg: string): readonly string[] {
  const text = arg.replace(/[\t\r\n]/g, '')
  const words = /\s/.test(arg.trim()) ? arg.split(/\s+/) : []
  return [text, ...words]
    .flatMap((word) => [word, word.replace(/^-{0,2}[\w.-]+=/, '')])
    .map((word) => word.replace(/^[\0- "'`]+|[\0- "'`]+$/g, ''))
}

/**
 * User information makes what looks like a host none, a wrapper may read what does not parse here, and a shell
 * puts variables in.
 */
function isAmbiguousUrl(url: string): boolean {
  const parsed = URL.parse(url)
  return parsed === null || parsed.username !== '' || parsed.password !== '' || /[$`{]/.test(parsed.host)
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
