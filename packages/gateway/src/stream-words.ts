import {
  formatMessageEvent,
  isJsonObject,
  type JsonObject,
  type JsonRpcId,
  ownValue,
  SUBSCRIPTION_ID_META_KEY,
} from '@warder/protocol'

/**
 * What the gateway itself says on a stream that stays open: whole events, written between those of the server behind. Every
 * event is undefined where the protocol does not allow it now.
 */
export interface StreamWords {
  /** Looks at each chunk of the filtered answer on its way to the client. */
  watch(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
  /** For a caller whose rights have become wider. */
  toolsChanged(): string | undefined
  /** The last event of a stream that we end (GW-65). */
  completion(): string | undefined
}

/** The GET stream of a client up to 2025-11-25, where a change of the list needs no subscription. */
export const sessionStreamWords: StreamWords = {
  watch: (body) => body,
  toolsChanged: () => formatEvent(toolsChangedNotice({})),
  completion: () => undefined,
}

/**
 * The stream of a `subscriptions/listen`: nothing before the acknowledgment, only what it honours, and the id of the subscription
 * in everything (GW-62, GW-63).
 */
export function listenStreamWords(id: JsonRpcId): StreamWords {
  const mark = { _meta: { [SUBSCRIPTION_ID_META_KEY]: id } }
  let honored: JsonObject | undefined

  async function* watch(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      yield chunk
      // Only now: what is said from here on stands behind the acknowledgment.
      honored ??= readAcknowledgment(chunk)
    }
  }

  return {
    watch,
    toolsChanged: () =>
      honored !== undefined && ownValue(honored, 'toolsListChanged') === true
        ? formatEvent(toolsChangedNotice({ params: mark }))
        : undefined,
    completion: () =>
      honored === undefined
        ? undefined
        : formatEvent({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...mark } }),
  }
}

/** The filter writes one event a chunk, its message in one line. */
function readAcknowledgment(chunk: Uint8Array): JsonObject | undefined {
  const data = /^data: (.+)$/m.exec(new TextDecoder().decode(chunk))?.[1]
  const message: unknown = data === undefined ? undefined : JSON.parse(data)
  if (!isJsonObject(message) || message['method'] !== 'notifications/subscriptions/acknowledged') return
  const { params } = message
  const notifications = isJsonObject(params) ? ownValue(params, 'notifications') : undefined
  return isJsonObject(notifications) ? notifications : undefined
}

function toolsChangedNotice(rest: object): object {
  return { jsonrpc: '2.0', method: 'notifications/tools/list_changed', ...rest }
}

function formatEvent(message: object): string {
  return formatMessageEvent(JSON.stringify(message))
}
