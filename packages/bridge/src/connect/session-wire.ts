import { dropBody, readTrouble } from './read-answer.ts'
import type { UserFetch } from './user-fetch.ts'

const closeMs = 2000

/** What every request of a session carries; empty before there is one. */
export type SessionHeaders = Readonly<Record<string, string>>

/** The three requests of streamable HTTP with sessions. Each throws what the fetch throws. */
export interface SessionWire {
  /** Sends one message; gives back whatever the answer is. */
  post(send: UserFetch, headers: SessionHeaders, message: object, signal: AbortSignal): Promise<Response>
  /** As `post`, where nothing is expected but that it was taken. Throws `ServerTrouble` when it was not. */
  tell(send: UserFetch, headers: SessionHeaders, message: object, signal: AbortSignal): Promise<void>
  /**
   * The server's own stream, or the rest of one that broke behind `lastEventId`; undefined where the server has no such thing. Throws
   * `ServerTrouble` when it is refused.
   */
  openStream(
    send: UserFetch,
    headers: SessionHeaders,
    lastEventId: string | undefined,
    signal: AbortSignal,
  ): Promise<Response | undefined>
  /** Ends the session, within two seconds. */
  end(send: UserFetch, headers: SessionHeaders): Promise<void>
}

export function sessionWire(url: string): SessionWire {
  const post: SessionWire['post'] = (send, headers, message, signal) =>
    send(url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(message),
      signal,
    })

  return {
    post,
    async tell(send, headers, message, signal) {
      const response = await post(send, headers, message, signal)
      if (!response.ok) throw await readTrouble(response)
      dropBody(response)
    },
    async openStream(send, session, lastEventId, signal) {
      const headers = {
        ...session,
        accept: 'text/event-stream',
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      }
      const response = await send(url, { method: 'GET', headers, signal })
      if (response.status === 405) {
        dropBody(response)
        return undefined
      }
      if (!response.ok) throw await readTrouble(response)
      return response
    },
    async end(send, headers) {
      const signal = AbortSignal.timeout(closeMs)
      dropBody(await send(url, { method: 'DELETE', headers: { ...headers }, signal }))
    },
  }
}
