import { resolve } from 'node:path'
import {
  hasHiddenCharacter,
  type OAuthPins,
  readSecretReference,
  type Transport,
  type WritableServer,
} from '@warder/host-config'
import type { Input, Option } from '../command.ts'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'
import { readHeader, readPort, readScopeWords } from './read-words.ts'

/** What `warder add` takes to describe a server. */
export const serverOptions: Readonly<Record<string, Option>> = {
  transport: {
    value: 'KIND',
    says: 'http, sse or stdio (default: http for a URL)',
    among: ['http', 'sse', 'stdio'],
    short: 't',
  },
  header: {
    value: '"K: V"',
    says: 'A header for every request; V may be keychain://NAME or a variable',
    short: 'H',
    many: true,
  },
  'secret-stdin': {
    says: 'Read what the header’s keychain://NAME stands for from standard input, and keep it',
  },
  env: { value: 'K=V', says: 'A variable for the command', short: 'e', many: true },
  'client-id': { value: 'ID', says: 'The OAuth client that you have registered' },
  'callback-port': {
    value: 'PORT',
    says: 'The port of http://localhost:PORT/callback that it is registered with',
  },
  'oauth-scope': { value: 'SCOPE', says: 'Ask for these scopes and no others', many: true },
  'metadata-url': {
    value: 'URL',
    says: 'Where the metadata of the authorization server is, when discovery fails',
  },
  'headers-helper': {
    value: 'WORD',
    says: 'A program that prints headers as JSON; again for each of its arguments',
    many: true,
  },
}

/** Reads a server from the command line; a Problem for what cannot be one. */
export function readServerOptions(name: string, input: Input): WritableServer {
  const { words, behindDashes } = input
  const url = words[1]
  if (behindDashes !== undefined && url === undefined) return readCommand(name, behindDashes, input)
  if (url === undefined || behindDashes !== undefined)
    throw new Problem(
      'say where it is, warder add NAME URL, or how it is started, warder add NAME -- COMMAND',
      2,
    )
  if (words.length > 2)
    throw new Problem(`what is ${plain(JSON.stringify(words[2]))}? Words of a command go behind --.`, 2)
  return readRemote(name, url, input)
}

function readCommand(name: string, argv: readonly string[], { options, lists }: Input): WritableServer {
  const [command, ...args] = argv
  if (command === undefined || command === '') throw new Problem('there is no command behind --.', 2)
  if ((options['transport'] ?? 'stdio') !== 'stdio')
    throw new Problem('a command is a stdio server; leave --transport out.', 2)
  const remote = ['header', 'headers-helper', 'oauth-scope'].find((key) => lists[key] !== undefined)
  const pin =
    remote ?? ['client-id', 'callback-port', 'metadata-url'].find((key) => options[key] !== undefined)
  if (pin !== undefined) throw new Problem(`--${pin} is for servers with a URL.`, 2)
  if (argv.some((word) => word.includes('\0'))) throw new Problem('a command cannot have a NUL character.', 2)
  const env = Object.fromEntries((lists['env'] ?? []).map(readVariable))
  return { name, transport: 'stdio', command, args, ...(Object.keys(env).length === 0 ? {} : { env }) }
}

function readVariable(text: string): readonly [string, string] {
  const [, key, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? []
  if (key !== undefined && value !== undefined) return [key, value]
  throw new Problem('--env takes NAME=VALUE.', 2)
}

function readRemote(name: string, url: string, { options, lists }: Input): WritableServer {
  if (options['transport'] === 'stdio')
    throw new Problem('a stdio server has a command behind --, not a URL.', 2)
  if (lists['env'] !== undefined) throw new Problem('--env is for servers with a command.', 2)
  const parsed = URL.parse(url)
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol) || hasHiddenCharacter(url))
    throw new Problem(`${plain(url)} is no address of an MCP server: it must begin with https://`, 2)
  const headers = Object.fromEntries((lists['header'] ?? []).map(readWritableHeader))
  const oauth = readPins(options, lists)
  const helper = readHelper(lists['headers-helper'])
  return {
    name,
    transport: (options['transport'] ?? 'http') as Transport,
    url,
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(helper === undefined ? {} : { headersHelper: helper }),
    ...(Object.keys(oauth).length === 0 ? {} : { oauth }),
  }
}

/** A path means the one from here, wherever it is run later. */
function readHelper(words: readonly string[] | undefined): readonly string[] | undefined {
  const [program, ...rest] = words ?? []
  if (program === undefined) return undefined
  if (hasHiddenCharacter(program)) throw new Problem('--headers-helper takes a program.', 2)
  return [/[\\/]/.test(program) ? resolve(program) : program, ...rest]
}

function readWritableHeader(text: string): readonly [string, string] {
  const header = readHeader(text)
  try {
    readSecretReference(header[1])
  } catch (error) {
    if (error instanceof RangeError) throw new Problem(error.message, 2)
    throw error
  }
  return header
}

function readPins(options: Input['options'], lists: Input['lists']): OAuthPins {
  const { 'client-id': clientId, 'callback-port': port, 'metadata-url': metadataUrl } = options
  const scopes = lists['oauth-scope']
  if (metadataUrl !== undefined && URL.parse(metadataUrl)?.protocol !== 'https:')
    throw new Problem('--metadata-url must begin with https://.', 2)
  return {
    ...(clientId === undefined ? {} : { clientId }),
    ...(port === undefined ? {} : { callbackPort: readPort(port, '--callback-port') }),
    ...(scopes === undefined ? {} : { scopes: readScopeWords(scopes, '--oauth-scope') }),
    ...(metadataUrl === undefined ? {} : { metadataUrl }),
  }
}
