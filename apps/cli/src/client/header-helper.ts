import { createHash } from 'node:crypto'
import { accessSync, constants, createReadStream, statSync } from 'node:fs'
import { delimiter, dirname, join, resolve, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { isHeaderName, isHeaderValue, type Scope, type Texts, warderDirectory } from '@warder/host-config'
import { readPrivateFile, writePrivateFile } from '@warder/private-files'
import { isJsonObject, messageOf, ownValue, Refusal, readStrictText } from '@warder/protocol'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'
import type { FoundServer } from './find-server.ts'
import { type ProgramCall, runBounded } from './run-bounded.ts'

const mostHeaders = 32

/** A helper, ready to be run: nothing of it is left to a shell or to a search. */
export interface HelperCall extends ProgramCall {
  /**
   * Stands for the program's content, the arguments (and the content of files among them) and the server it
   * is for.
   */
  readonly pin: string
}

/**
 * The headers that a server's helper prints; none where there is no helper. It is run without a shell and
 * only when its pin is among those that the user trusts: a changed program or argument, or another server,
 * asks again.
 */
export async function runHeaderHelper(found: FoundServer): Promise<Texts> {
  const call = await planHelper(found)
  if (call === undefined) return {}
  if (!readTrusted(trustFile(found)).includes(call.pin))
    throw new Problem(
      `the headers helper of ${plain(found.name ?? found.server)} has not been run: you have not trusted it as it is now.\n` +
        `  ${showCommand(call.argv)}\nLook at it, then say so: warder get ${plain(found.name ?? 'NAME')} --trust-headers-helper`,
    )
  return readHeaders(await runBounded(call, { timeoutMs: 10_000, maxBytes: 64 * 1024 }))
}

/**
 * Remembers that the user trusts a helper as it is now. The pin stands in the user's own directory, never in
 * a project.
 */
export function trustHelper(found: FoundServer, call: HelperCall): void {
  const file = trustFile(found)
  const pins = [...new Set([...readTrusted(file), call.pin])]
  try {
    writePrivateFile(file, `${JSON.stringify({ version: 1, helpers: pins }, null, 2)}\n`)
  } catch (error) {
    throw new Problem(`${plain(file)} cannot be written: ${plain(messageOf(error))}.`)
  }
}

/** The helper of a server as it would be run; undefined where there is none. */
export async function planHelper(found: FoundServer): Promise<HelperCall | undefined> {
  const { entry, config } = found
  if (entry?.headersHelper === undefined) return undefined
  const words = readWords(entry.headersHelper, plain(found.name ?? found.server))
  const { scope, plugin, file } = entry.source
  const cwd = plugin?.root ?? (scope === 'project' || scope === 'local' ? config.project : dirname(file))
  const [program = '', ...rest] = words
  const path = findProgram(program, cwd, config.places.env)
  const argv = [path, ...rest]
  const contents = await Promise.all(argv.map((arg) => digestOfFile(resolve(cwd, arg))))
  const pin = createHash('sha256')
    .update(JSON.stringify([new URL(found.server).origin, cwd, argv, contents]))
    .digest('hex')
  const env = {
    ...scrub(config.places.env, scope),
    CLAUDE_CODE_MCP_SERVER_NAME: entry.name,
    CLAUDE_CODE_MCP_SERVER_URL: found.server,
  }
  return { argv, cwd, env: plugin === undefined ? env : { ...env, CLAUDE_PLUGIN_ROOT: plugin.root }, pin }
}

/** A command for people: each argument so that its borders show. */
export function showCommand(argv: readonly string[]): string {
  return argv.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : plain(JSON.stringify(arg)))).join(' ')
}

/**
 * Claude Code's line means the same without a shell only where there is nothing in it that a shell would act
 * on.
 */
function readWords(helper: string | readonly string[], name: string): readonly string[] {
  if (typeof helper !== 'string') {
    if (helper.length > 0) return helper
    throw new Problem(`the headers helper of ${name} is empty.`)
  }
  if (/^[\w@%+=:,./\- ]+$/.test(helper) && helper.trim() !== '') return helper.trim().split(/ +/)
  throw new Problem(
    `the headers helper of ${name} is a line for a shell, and Warder runs none. Put it into a script, and name that: ` +
      `warder add ${name} URL --headers-helper /path/to/script`,
  )
}

function findProgram(
  program: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const names = process.platform === 'win32' && !/\.\w+$/.test(program) ? [`${program}.exe`] : [program]
  const hasPath = program.includes('/') || program.includes(sep)
  const folders = hasPath
    ? ['']
    : (env['PATH'] ?? '')
        .split(delimiter)
        .filter((folder) => folder.startsWith(sep) || /^[A-Za-z]:/.test(folder))
  for (const folder of folders)
    for (const name of names) {
      const path = hasPath ? resolve(cwd, name) : join(folder, name)
      if (isProgram(path)) return path
    }
  throw new Problem(`the headers helper ${plain(program)} is not there, or is no program.`)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** An argument that names a file is as much the program as the first: `node helper.js`. */
async function digestOfFile(path: string): Promise<string> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return ''
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

const secretParts = new Set(
  'TOKEN SECRET PASSWORD PASSWD PASSPHRASE KEY AUTH COOKIE PAT DSN CREDENTIAL CREDENTIALS'.split(' '),
)

/**
 * What comes with a checkout or a plugin gets no variable that may hold a credential, as in Claude Code;
 * nobody gets Warder's own.
 */
function scrub(env: Readonly<Record<string, string | undefined>>, scope: Scope): Record<string, string> {
  const isForeign = scope === 'project' || scope === 'plugin'
  return Object.fromEntries(
    Object.entries(env).filter((pair): pair is [string, string] => {
      const [name, value] = pair
      if (value === undefined || /^(?:WARDER_|MCP_)/i.test(name)) return false
      if (!isForeign || /^GIT_CONFIG_KEY_\d+$/.test(name)) return true
      return !name
        .toUpperCase()
        .split(/[^A-Z0-9]+/)
        .some((part) => secretParts.has(part))
    }),
  )
}

function readHeaders(output: string): Texts {
  const said = readObject(output)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(said)) {
    if (typeof value !== 'string' || !isHeaderName(name) || !isHeaderValue(value))
      throw new Problem('the headers helper must print one JSON object of header names and texts.')
    headers[name] = value
  }
  if (Object.keys(headers).length <= mostHeaders) return headers
  throw new Problem(`the headers helper printed more than ${mostHeaders} headers.`)
}

function readObject(output: string): Readonly<Record<string, unknown>> {
  try {
    const value = readStrictText(output.trim())
    if (isJsonObject(value)) return value
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
  // What it printed may be the secret: none of it is shown.
  throw new Problem('the headers helper must print one JSON object of header names and texts.')
}

function trustFile({ config }: FoundServer): string {
  return join(warderDirectory(config.places), 'trusted-helpers.json')
}

/** Whoever can write this file decides what is run: it must be the user's own. */
function readTrusted(file: string): readonly string[] {
  try {
    const text = readPrivateFile(file)
    const said = text === undefined ? undefined : readStrictText(text)
    const pins = isJsonObject(said) ? ownValue(said, 'helpers') : undefined
    return Array.isArray(pins) ? pins.filter((pin) => typeof pin === 'string') : []
  } catch (error) {
    throw new Problem(`${plain(file)} cannot be used: ${plain(messageOf(error))}.`)
  }
}
