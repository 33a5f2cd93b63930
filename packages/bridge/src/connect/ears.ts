import { isJsonObject, type JsonObject, ownValue, SUBSCRIPTION_ID_META_KEY } from '@warder/protocol'
import type { BridgeLog } from '../log.ts'
import { runQuietly } from './errand.ts'
import type { Server, ServerCall, ServerMessage } from './server.ts'
import { innermostWords } from './server-trouble.ts'

const firstPauseMs = 1000
const longestPauseMs = 60_000

/** Hears from a server without sessions what one with sessions says by itself. */
export interface Ears {
  /** Begins, with these resources besides the lists; replaces what was heard before. */
  hear(uris: ReadonlySet<string>): void
  stop(): void
}

/**
 * Keeps one `subscriptions/listen` open (GW-62, GW-63) for all lists that the server reports about and for single resources. When
 * it breaks it is opened again, which never asks a person to sign in. Messages are passed on without the id of the subscription.
 */
export function createEars(
  server: Server,
  makeParams: (params: JsonObject) => JsonObject,
  onMessage: (message: ServerMessage) => void | Promise<void>,
  log: BridgeLog,
): Ears {
  let current: AbortController | undefined

  const listen = async (filter: JsonObject, own: AbortController, pause: number): Promise<void> => {
    let heard = false
    try {
      const call: ServerCall = {
        method: 'subscriptions/listen',
        params: makeParams({ notifications: filter }),
        signal: own.signal,
        onMessage: (message) => {
          heard = true
          // From here on the new one hears everything.
          if (message.method === 'notifications/subscriptions/acknowledged') return
          return onMessage(withoutSubscription(message))
        },
      }
      const outcome = await runQuietly(() => server.request(call))
      if (outcome.kind === 'error')
        return log({ level: 'info', event: 'connect.no-stream', why: outcome.error.message })
    } catch (error) {
      log({ level: 'info', event: 'connect.stream-broke', why: innermostWords(error) })
    }
    if (own.signal.aborted) return
    const next = heard ? firstPauseMs : Math.min(pause * 2, longestPauseMs)
    const timer = setTimeout(() => void listen(filter, own, next), pause)
    timer.unref()
    own.signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  }

  return {
    hear: (uris) => {
      const before = current
      const filter = makeFilter(server.facts.capabilities, uris)
      if (Object.keys(filter).length > 0) {
        current = new AbortController()
        void listen(filter, current, firstPauseMs)
      } else {
        current = undefined
      }
      before?.abort()
    },
    stop: () => current?.abort(),
  }
}

function makeFilter(capabilities: JsonObject, uris: ReadonlySet<string>): JsonObject {
  const lists = ['tools', 'prompts', 'resources'].filter((name) => {
    const capability = capabilities[name]
    return isJsonObject(capability) && capability['listChanged'] === true
  })
  return {
    ...Object.fromEntries(lists.map((name) => [`${name}ListChanged`, true])),
    ...(uris.size === 0 ? {} : { resourceSubscriptions: [...uris] }),
  }
}

function withoutSubscription(message: ServerMessage): ServerMessage {
  const meta = ownValue(message.params ?? {}, '_meta')
  if (message.params === undefined || !isJsonObject(meta)) return message
  const { [SUBSCRIPTION_ID_META_KEY]: _id, ...kept } = meta
  const { _meta, ...rest } = message.params
  const params = Object.keys(kept).length === 0 ? rest : { ...rest, _meta: kept }
  return { ...message, params, value: { ...message.value, params } }
}
