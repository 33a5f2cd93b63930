import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { isScalar, LineCounter, parseDocument } from 'yaml'
import { compilePolicy } from './compile-policy.ts'
import type { AccessRow, Policy, ServerPolicy } from './policy.ts'
import { PolicyErrors } from './policy-errors.ts'
import { readAccess } from './read-access.ts'
import { readGroups } from './read-groups.ts'
import { makeNodeReader, type NodeReader, type Place, placeOf } from './read-node.ts'
import { readServer } from './read-server.ts'

const keys = { known: ['version', 'servers', 'groups', 'access'] }
// 100,000 rows of the usual length; reading that many takes seconds and most of a gigabyte.
const maxCharacters = 5_000_000

/**
 * Reads the text of a policy file (YAML 1.2, format version 1). `file` is for messages only.
 *
 * Throws `PolicyErrors` with everything that is wrong, each with line and column, and nothing else. A key that this version
 * does not enforce, such as `approve`, is a mistake too: ignoring a restriction would fail open.
 *
 * Does not check that the tools exist at their server, nor that the users do.
 */
export function readPolicy(text: string, file = 'warder.yaml'): Policy {
  const lines = new LineCounter()
  const reader = makeNodeReader(lines)
  const start: Place = { node: null, offset: 0 }
  let root: Place | undefined
  if (text.length > maxCharacters)
    reader.problem(start, `the file is longer than ${maxCharacters} characters`)
  else root = parse(text, lines, reader)
  const policy = root === undefined ? undefined : readRoot(reader, root, text)
  if (policy === undefined || reader.problems.length > 0) {
    const sorted = reader.problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
    throw new PolicyErrors(file, sorted)
  }
  compilePolicy(policy)
  return policy
}

/** The root of the YAML tree; undefined, with problems noted, when the text is no YAML. */
function parse(text: string, lines: LineCounter, reader: NodeReader): Place | undefined {
  try {
    const document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      strict: true,
      // The reader looks for repeated keys itself, in linear time and with a message of its own.
      uniqueKeys: false,
      merge: false,
      prettyErrors: false,
      lineCounter: lines,
    })
    const faults = [...document.errors, ...document.warnings]
    for (const fault of faults) reader.problem({ node: null, offset: fault.pos[0] }, fault.message)
    return faults.length > 0 ? undefined : placeOf(document.contents, 0)
  } catch (error) {
    // The parser recurses: text that is nested ten thousand levels deep ends in a RangeError.
    const why = error instanceof Error ? error.message : String(error)
    reader.problem({ node: null, offset: 0 }, `the file cannot be read as YAML: ${why}`)
    return undefined
  }
}

function readRoot(reader: NodeReader, root: Place, text: string): Policy | undefined {
  const fields = reader.fields(root, 'the policy file', keys)
  if (fields === undefined) return undefined
  const versionAt = fields.get('version')?.value
  if (versionAt === undefined) reader.problem(root, 'the policy file needs version: 1')
  else if (!isScalar(versionAt.node) || versionAt.node.value !== 1) {
    reader.problem(versionAt, 'version must be 1, the only one that this Warder reads')
  }
  const serversAt = fields.get('servers')?.value
  const servers = new Map<string, ServerPolicy>()
  if (serversAt === undefined) reader.problem(root, 'the policy file needs servers')
  else readServers(reader, serversAt, servers)
  const accessAt = fields.get('access')?.value
  const access: readonly AccessRow[] = accessAt === undefined ? [] : readAccess(reader, accessAt, servers)
  const groups = readGroups(reader, fields.get('groups')?.value)
  const digest = bytesToHex(sha256(utf8ToBytes(text))).slice(0, 12)
  return { version: 1, servers, access, ...(groups !== undefined && { groups }), digest }
}

function readServers(reader: NodeReader, place: Place, servers: Map<string, ServerPolicy>): void {
  const definedBy = new Map<string, string>()
  const before = reader.problems.length
  for (const entry of reader.entries(place, 'servers')) {
    servers.set(entry.name, readServer(reader, entry, definedBy))
  }
  if (servers.size === 0 && reader.problems.length === before)
    reader.problem(place, 'servers names no server')
}
