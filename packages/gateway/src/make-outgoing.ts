import { type McpMessage, type McpPost, narrowSubscription, replaceMessages } from '@warder/protocol'
import type { DecidedCall } from './authorize-call.ts'
import type { ListCursors, ListReader } from './list-cursors.ts'

/**
 * The body that goes upstream: the bytes that came, but for two things that the caller must not have a say in. A subscription goes
 * without the resources that are not open to the caller (GW-64), and the cursor of a list is the one that the server behind gave
 * (N01). Then the value that was read and decided upon is written anew. Throws `message.cursor`.
 */
export function makeOutgoing(
  post: McpPost | undefined,
  decided: readonly DecidedCall[],
  cursors: ListCursors,
  reader: ListReader,
): McpPost | undefined {
  if (post === undefined) return undefined
  const [first, ...others] = post.messages
  if (others.length === 0 && decided[0]?.subscribed.length === 0)
    return replaceMessages(post, [cursors.open(reader, first)])
  const outgoing = (message: McpMessage, place: number): McpMessage =>
    cursors.open(reader, narrowSubscription(message, allowedIn(decided[place])))
  return replaceMessages(post, [
    outgoing(first, 0),
    ...others.map((message, place) => outgoing(message, place + 1)),
  ])
}

function allowedIn(decided: DecidedCall | undefined): ReadonlySet<string> {
  const open = decided?.subscribed.filter(({ decision }) => decision.outcome === 'open') ?? []
  return new Set(open.map(({ call }) => call.uri))
}
