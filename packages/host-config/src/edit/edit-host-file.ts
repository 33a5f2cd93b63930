import { isDeepStrictEqual } from 'node:util'
import { type HostNode, nodeAt, plainValue } from '../documents/host-node.ts'
import { readJson } from '../documents/read-json.ts'
import { readTextFile } from '../documents/read-text-file.ts'
import { readToml } from '../documents/read-toml.ts'
import { leadsOut } from '../documents/where-it-leads.ts'
import type { Finding } from '../finding.ts'
import { dialects, type HostStyle } from '../hosts/dialects.ts'
import type { ListPlace } from '../hosts/places.ts'
import { isDangerousName } from '../server-name.ts'
import { editJson } from './edit-json.ts'
import { editToml } from './edit-toml.ts'
import type { Entry } from './entry.ts'
import { HostFileError } from './host-file-error.ts'
import { writeInPlace } from './write-in-place.ts'

/**
 * What is to become of an entry. `add` refuses a name that is there, `replace` and `remove` one that is not.
 */
export interface HostFileEdit {
  readonly place: ListPlace
  readonly name: string
  readonly action: 'add' | 'replace' | 'put' | 'remove'
  /** Required but for `remove`. */
  readonly entry?: Entry
  /** A project's file must not lead out of here through a link. */
  readonly within?: string
}

/**
 * Writes, replaces or takes out one entry of a host's file, in place: comments, order and form of the rest
 * stay as they are, and the result is read again and compared before it is written. Throws `HostFileError`,
 * and then nothing has changed.
 *
 * Does not look for secrets: `findSecrets` does, and must be asked before. Of several that change a file at once, one may
 * be lost: who calls this from several processes holds a lock.
 */
export function editHostFile(edit: HostFileEdit): void {
  const { before, after } = planEdit(edit)
  writeInPlace(edit.place.file, before, after, edit.place.scope === 'project' ? 0o644 : 0o600)
}

/** Throws what `editHostFile` would, and writes nothing. */
export function checkHostFileEdit(edit: HostFileEdit): void {
  planEdit(edit)
}

/** The whole text of the file, as it is (undefined: not there) and as it becomes. */
function planEdit(edit: HostFileEdit): { readonly before: string | undefined; readonly after: string } {
  const { place, name, entry, within } = edit
  const { file } = place
  if (isDangerousName(name))
    throw new HostFileError(file, `a server cannot be called ${JSON.stringify(name)}.`)
  const { style } = dialects[place.host]
  const read = readTextFile(file, within === undefined ? {} : { within })
  const problem = read?.findings.find(({ level }) => level === 'error')
  if (problem !== undefined) throw refused(problem)
  if (read === undefined && within !== undefined && leadsOut(file, within))
    throw new HostFileError(file, `${file} leads out of the project through a link. Nothing was written.`)
  const text = read?.text ?? ''
  const before = readText(file, text, style)
  checkEditable(before, edit)
  const change = { path: place.path, name, entry: edit.action === 'remove' ? undefined : entry }
  const after = style === 'toml' ? editToml(text, change) : editJson(text, change)
  if (after === undefined)
    throw new HostFileError(file, `${file} has its servers in an inline table. Change that one by hand.`)
  checkResult(file, before, readText(file, after, style), change)
  const mark = read?.hasMark === true ? '\ufeff' : ''
  return { before: read === undefined ? undefined : mark + text, after: mark + after }
}

function readText(file: string, text: string, style: HostStyle): HostNode | undefined {
  const { root, findings } = style === 'toml' ? readToml(file, text) : readJson(file, text, style)
  const problem = findings.find(({ level }) => level === 'error')
  if (problem !== undefined) throw refused(problem)
  return root
}

function refused({ place: { file, line, column }, message }: Finding): HostFileError {
  return new HostFileError(
    file,
    `${file}:${line}:${column}: ${message} Put that right first; nothing was written.`,
  )
}

function checkEditable(root: HostNode | undefined, { place, name, action }: HostFileEdit): void {
  const { file, path } = place
  // A key that stands twice may be read one way and changed another.
  for (let at = 0; at <= path.length; at++) {
    const node = at === 0 ? root : nodeAt(root, path.slice(0, at))
    if (node !== undefined && node.kind !== 'object')
      throw new HostFileError(
        file,
        `${file}:${node.place.line}: there should be an object here. Nothing was written.`,
      )
    const next = at < path.length ? path[at] : name
    const twice = node?.members.filter(({ key }) => key === next) ?? []
    if (twice.length > 1)
      throw new HostFileError(
        file,
        `${file}:${twice[1]!.keyPlace.line}: ${JSON.stringify(next)} stands here twice. Put that right first.`,
      )
  }
  const there = nodeAt(root, [...path, name])
  if (action === 'add' && there !== undefined)
    throw new HostFileError(
      file,
      `${file}:${there.place.line} has a server ${JSON.stringify(name)} already. To put another in its place: --replace`,
    )
  if ((action === 'replace' || action === 'remove') && there === undefined)
    throw new HostFileError(file, `${file} has no server ${JSON.stringify(name)}.`)
}

/** The text that comes out must say the same as before, and the change. */
function checkResult(
  file: string,
  before: HostNode | undefined,
  after: HostNode | undefined,
  { path, name, entry }: { path: readonly string[]; name: string; entry: Entry | undefined },
): void {
  const wanted = (before === undefined ? Object.create(null) : plainValue(before)) as Record<string, unknown>
  let table = wanted
  for (const key of path) {
    table[key] ??= Object.create(null)
    table = table[key] as Record<string, unknown>
  }
  if (entry === undefined) delete table[name]
  else table[name] = JSON.parse(JSON.stringify(entry))
  const got = after === undefined ? {} : plainValue(after)
  if (
    !isDeepStrictEqual(
      JSON.parse(JSON.stringify(withoutEmpty(wanted, path))),
      JSON.parse(JSON.stringify(withoutEmpty(got, path))),
    )
  )
    throw new HostFileError(
      file,
      `${file} is written in a way that Warder cannot change safely. Change it by hand.`,
    )
}

/** A table of TOML that loses its last entry is gone. */
function withoutEmpty(value: unknown, path: readonly string[]): unknown {
  const copy = structuredClone(value) as Record<string, unknown>
  const [first] = path
  const table = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], copy)
  if (
    path.length === 1 &&
    first !== undefined &&
    typeof table === 'object' &&
    Object.keys(table as object).length === 0
  )
    delete copy[first]
  return copy
}
