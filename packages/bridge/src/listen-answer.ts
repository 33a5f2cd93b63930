import {
  type JsonObject,
  type McpRequest,
  readListenFilter,
  SERVER_INFO_META_KEY,
  SUBSCRIPTION_ID_META_KEY,
} from '@warder/protocol'
import type { ChildNotice } from './child-notice.ts'
import { createEventStream, eventStreamHeaders } from './event-stream.ts'
import type { HostedAnswer, HostedCall } from './hosted-call.ts'
import type { HostedChild } from './hosted-child.ts'
import { reportsChanges } from './watched-resources.ts'

const listNames = ['tools', 'prompts', 'resources'] as const

const wantedBy: Readonly<Record<string, string>> = {
  'notifications/tools/list_changed': 'toolsListChanged',
  'notifications/prompts/list_changed': 'promptsListChanged',
  'notifications/resources/list_changed': 'resourcesListChanged',
}

/**
 * Answers `subscriptions/listen` (revision 2026-07-28, GW-62, GW-63): the acknowledgment with what can be honoured, then
 * exactly that, each message with the id of the subscription. Does not ask whether the user may read the URIs.
 */
export async function listenAnswer(
  child: HostedChild,
  call: HostedCall,
  request: McpRequest,
  release: () => void,
): Promise<HostedAnswer> {
  const { filter, uris: asked } = readListenFilter(request)
  const stops: (() => void)[] = [release]
  const uris = await watchAll(child, asked, stops, call.signal)
  const lists = listNames.filter(
    (name) => filter[`${name}ListChanged`] === true && reportsChanges(child.facts.capabilities, name),
  )
  const honored: JsonObject = {
    ...Object.fromEntries(lists.map((name) => [`${name}ListChanged`, true])),
    ...(uris.size === 0 ? {} : { resourceSubscriptions: [...uris] }),
  }

  const onEnd = (): void => {
    for (const stop of stops.splice(0)) stop()
  }
  const stream = createEventStream({ signal: call.signal, onEnd })
  const mark = { [SUBSCRIPTION_ID_META_KEY]: request.id }
  const send = (method: string, params: JsonObject): void => {
    stream.send({ jsonrpc: '2.0', method, params: { ...params, _meta: mark } })
  }
  const complete = (): void => {
    const meta = { ...mark, [SERVER_INFO_META_KEY]: child.facts.serverInfo }
    stream.end({ jsonrpc: '2.0', id: request.id, result: { resultType: 'complete', _meta: meta } })
  }
  const isWanted = (notice: ChildNotice): boolean => {
    if (notice.method === 'notifications/resources/updated') return uris.has(notice.params.uri)
    const name = wantedBy[notice.method]
    return name !== undefined && honored[name] === true
  }

  send('notifications/subscriptions/acknowledged', { notifications: honored })
  if (Object.keys(honored).length === 0) {
    complete()
  } else {
    stops.push(child.listen((notice) => isWanted(notice) && send(notice.method, notice.params)))
    stops.push(child.onEnd(complete))
  }
  return { status: 200, headers: { ...eventStreamHeaders }, body: stream.body }
}

async function watchAll(
  child: HostedChild,
  uris: readonly string[],
  stops: (() => void)[],
  signal: AbortSignal,
): Promise<Set<string>> {
  const watched = new Set<string>()
  if (!child.watched.supported) return watched
  const each = async (uri: string): Promise<void> => {
    const { outcome, stop } = await child.watched.watch(uri, signal)
    if (outcome.kind !== 'result') return
    stops.push(stop)
    watched.add(uri)
  }
  await Promise.all([...new Set(uris)].map(each))
  return watched
}
