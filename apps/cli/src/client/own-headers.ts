import type { UserFetch } from '@warder/bridge/connect'
import { checkHeaders, commandLine } from './check-headers.ts'
import type { ConnectArguments } from './connect-arguments.ts'
import type { FoundServer } from './find-server.ts'
import { putVariablesIn } from './read-words.ts'

type Headers = Readonly<Record<string, string>>
type LoadHeaders = () => Promise<Headers>

/** The headers that the user gives a server, by the command line or by its entry. Names are in small letters. */
export interface OwnHeaders {
  has(name: string): boolean
  /** A fetch that sends them; what a request sets itself goes before them. */
  sentBy(fetch: UserFetch): UserFetch
}

/** Throws `Problem`, and what `loadHeaders` throws. The command line's replace those of the entry. */
export async function loadOwnHeaders(given: ConnectArguments, found: FoundServer): Promise<OwnHeaders> {
  const own = expandHeaders(given, found)
  const load = await loaderOf(given, found)
  if (load === undefined) return makeOwnHeaders(own)
  const both: LoadHeaders = async () => ({ ...(await load()), ...own })
  return makeOwnHeaders(await both(), both)
}

const shortestPauseMs = 10_000

/**
 * Headers that can be loaded anew are, when the server does not take them any more: once for all requests that it refuses meanwhile, and
 * after a time that brought nothing new not for ten seconds, since loading may start a program.
 */
export function makeOwnHeaders(first: Headers, load?: LoadHeaders): OwnHeaders {
  let own = first
  let reloading: Promise<void> | undefined

  const reload = async (loads: LoadHeaders): Promise<void> => {
    let pause = shortestPauseMs
    try {
      const loaded = await loads()
      if (JSON.stringify(loaded) === JSON.stringify(own)) return
      own = loaded
      pause = 0
    } finally {
      setTimeout(() => {
        reloading = undefined
      }, pause).unref()
    }
  }

  return {
    has: (name) => Object.hasOwn(own, name),
    sentBy: (fetch) => async (url, init) => {
      const send = (): Promise<Response> => fetch(url, { ...init, headers: { ...own, ...init.headers } })
      const before = own
      const response = await send()
      if (load === undefined || (response.status !== 401 && response.status !== 403)) return response
      try {
        if (own === before) {
          reloading ??= reload(load)
          await reloading
        }
        if (own === before) return response
      } catch (error) {
        await response.body?.cancel()
        throw error
      }
      await response.body?.cancel()
      return send()
    },
  }
}

function expandHeaders(given: ConnectArguments, { server }: FoundServer): Headers {
  const headers = Object.fromEntries(
    given.headers.map(([name, value]) => [name.toLowerCase(), putVariablesIn(value, `the header ${name}`)]),
  )
  checkHeaders(headers, server, commandLine)
  return headers
}

/** What loads the headers of the server's entry, where it has any. */
async function loaderOf(given: ConnectArguments, found: FoundServer): Promise<LoadHeaders | undefined> {
  if (Object.keys(found.headers).length === 0 && found.entry?.headersHelper === undefined) return undefined
  const { loadHeaders } = await import('./secret-references.ts')
  const store = async () => {
    const { openCredentialStore } = await import('./open-store.ts')
    return openCredentialStore(given.input.options['store'])
  }
  return async () => {
    const loaded = await loadHeaders(found, { store })
    return Object.fromEntries(Object.entries(loaded).map(([name, value]) => [name.toLowerCase(), value]))
  }
}
