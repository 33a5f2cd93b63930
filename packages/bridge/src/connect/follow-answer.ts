import { setTimeout as sleep } from 'node:timers/promises'
import type { McpMessage } from '@warder/protocol'
import type { BridgeLog } from '../log.ts'
import { type AnswerReader, readAnswer } from './read-answer.ts'
import { readRetryDelay } from './retry-delay.ts'
import { isFinalTrouble, ServerTrouble } from './server-trouble.ts'

const firstPauseMs = 1000
/** Resumptions one after the other that bring nothing new. */
const maxResumptions = 5

/** A request whose answer is on its way. */
export interface AwaitedAnswer {
  /** Whether it is still missing. */
  isMissing(): boolean
  onMessage(message: McpMessage): void | Promise<void>
  /** The rest of a stream that broke behind this event; undefined where the server has none. Throws `ServerTrouble`. */
  resume(lastEventId: string): Promise<Response | undefined>
  readonly signal: AbortSignal
  readonly log: BridgeLog
}

/** Reads what comes back until the answer is there, over several streams if they break. Throws `ServerTrouble` when it does not come. */
export async function followAnswer(first: Response, answer: AwaitedAnswer): Promise<void> {
  const { signal, log } = answer
  let response: Response | undefined = first
  let place: { readonly id?: string; readonly retry?: number } = {}
  let flaw = 'it ended its answer before it had given one'
  const reader: AnswerReader = {
    onMessage: answer.onMessage,
    onGarbage(why) {
      flaw = `it sent something that is no MCP message (${why})`
      log({ level: 'warn', event: 'connect.garbage', why })
    },
    onPlace(news) {
      place = { ...place, ...news }
    },
  }
  for (let attempt = 0; ; attempt += 1) {
    const { id: known } = place
    const broken = response === undefined ? undefined : await readAnswer(response, reader).catch(unlessFinal)
    if (!answer.isMissing() || signal.aborted) return
    // A server that lets us poll (SEP-1699) ends its streams on purpose, for as long as it works.
    if (place.id !== known) attempt = 0
    if (place.id === undefined || attempt >= maxResumptions) throw broken ?? new ServerTrouble('answer', flaw)
    await sleep(readRetryDelay(place.retry, firstPauseMs * 1.5 ** attempt), undefined, { signal })
    response = await answer.resume(place.id).catch((error) => void unlessFinal(error))
  }
}

/** How it broke; throws what no second try would change. */
function unlessFinal(error: unknown): unknown {
  if (isFinalTrouble(error)) throw error
  return error
}
