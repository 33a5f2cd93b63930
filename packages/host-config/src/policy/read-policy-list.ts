import { type HostNode, textOf, textsOf } from '../documents/host-node.ts'
import { expandText, readPieces, type Surroundings } from '../expand.ts'
import type { Finding } from '../finding.ts'
import type { PolicyEntry } from './managed-policy.ts'
import { readUrlPattern, type UrlPattern } from './url-pattern.ts'

type Purpose = 'allow' | 'deny'

/**
 * The entries of `allowedMcpServers` or `deniedMcpServers`. What is no entry is left out with a finding. A
 * value that is no list at all: an allow list becomes empty, so that nothing is allowed; a deny list is
 * dropped, as Claude Code does.
 */
export function readPolicyList(
  node: HostNode,
  purpose: Purpose,
  around: Surroundings,
): { readonly entries: readonly PolicyEntry[]; readonly findings: readonly Finding[] } {
  const key = purpose === 'allow' ? 'allowedMcpServers' : 'deniedMcpServers'
  if (node.kind !== 'array') {
    const message =
      purpose === 'allow'
        ? `${key} is no list: it counts as an empty one, which allows nothing.`
        : `${key} is no list: it denies nothing.`
    return {
      entries: [],
      findings: [{ level: 'error', rule: 'policy-value', message, place: node.place }],
    }
  }
  const entries: PolicyEntry[] = []
  const findings: Finding[] = []
  for (const item of node.items) {
    const read = readEntry(item, purpose, around)
    if (typeof read !== 'string') entries.push(read)
    else
      findings.push({
        level: 'error',
        rule: 'policy-entry',
        message: `This entry of ${key} does not count: ${read}`,
        place: item.place,
      })
  }
  return { entries, findings }
}

/** An entry, or in words why it is none. */
function readEntry(item: HostNode, purpose: Purpose, around: Surroundings): PolicyEntry | string {
  if (item.kind !== 'object') return 'it is no object.'
  const [member, ...others] = item.members
  if (member === undefined || others.length > 0)
    return 'it must have exactly one of serverUrl, serverCommand, serverName.'
  const reader = Object.hasOwn(readers, member.key) ? readers[member.key] : undefined
  return reader === undefined
    ? 'it must have one of serverUrl, serverCommand, serverName.'
    : reader(member.value, purpose, around)
}

const readers: Readonly<
  Record<string, (node: HostNode, purpose: Purpose, around: Surroundings) => PolicyEntry | string>
> = {
  serverUrl(node, purpose, around) {
    const text = textOf(node)
    if (text === undefined) return 'serverUrl must be a text.'
    const pattern = purpose === 'allow' ? allowedPattern(text, around) : deniedPattern(text, around)
    return typeof pattern === 'string' ? pattern : { kind: 'url', pattern, text, place: node.place }
  },
  serverCommand(node, _purpose, around) {
    const argv = textsOf(node)
    if (argv === undefined || argv.length === 0) return 'serverCommand must be a list of texts.'
    return {
      kind: 'command',
      argv: argv.map((arg) => expandText(arg, 'shell', around).text),
      place: node.place,
    }
  },
  serverName(node, purpose) {
    const name = textOf(node)
    if (name === undefined) return 'serverName must be a text.'
    if (purpose === 'allow' && !/^[A-Za-z0-9_-]+$/.test(name))
      return 'serverName may have only letters, digits, _ and -.'
    return { kind: 'name', name, place: node.place }
  },
}

/**
 * Who starts a program chooses its variables. One in an allow entry must not move the entry to another
 * scheme, host or part of the path, so it may stand for one piece of a path and for nothing else.
 */
function allowedPattern(text: string, around: Surroundings): UrlPattern | string {
  const pattern = readUrlPattern(expandText(text, 'shell', around).text)
  if (pattern === undefined) return 'serverUrl is no pattern such as https://*.example.com/*.'
  const pieces = readPieces(text, 'shell')
  if (pieces.every(({ kind }) => kind === 'text')) return pattern
  const skeleton = readUrlPattern(pieces.map((piece) => (piece.kind === 'text' ? piece.text : 'x')).join(''))
  const values = pieces
    .filter(({ kind }) => kind !== 'text')
    .map((piece) => expandText(piece.text, 'shell', around))
  const movesPath = values.some(({ text: value }) => /[/\\*?#%]|^\.{1,2}$/.test(value))
  if (skeleton?.scheme !== pattern.scheme || skeleton.host !== pattern.host || movesPath)
    return 'a variable in it changes the scheme, the host or the path.'
  return values.some(({ unset }) => unset.length > 0) ? 'a variable in it is not set.' : pattern
}

/** What is denied without saying a scheme is denied with every one. */
function deniedPattern(text: string, around: Surroundings): UrlPattern | string {
  const expanded = expandText(text, 'shell', around).text
  const hasScheme = expanded === '*' || /^[^:/?#\s]+:\/\//.test(expanded)
  return (
    readUrlPattern(hasScheme ? expanded : `*://${expanded}`) ??
    'serverUrl is no pattern such as https://*.example.com/*.'
  )
}
