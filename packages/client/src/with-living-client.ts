import { isDeadClient } from './is-dead-client.ts'
import type { Trace } from './trace.ts'

/** A sign-in in two steps: with which client, and the rest. */
export interface TwoSteps<Begun, Done> {
  /** `dead` is a client id that is not to be used again. */
  begin(dead?: string): Promise<Begun>
  finish(begun: Begun): Promise<Done>
  /** The client that another one may replace; undefined where the user registered it, or a new one would be of no use. */
  replaceable(begun: Begun): string | undefined
}

/**
 * Signs in. A client that the authorization server does not know any more is replaced, once; there is no other second attempt.
 */
export async function withLivingClient<Begun, Done>(
  trace: Trace,
  steps: TwoSteps<Begun, Done>,
): Promise<Done> {
  const first = await steps.begin()
  try {
    return await steps.finish(first)
  } catch (error) {
    const dead = steps.replaceable(first)
    if (dead === undefined || !isDeadClient(error)) throw error
    const why = 'the authorization server does not know this client any more; it is registered anew'
    trace({ step: 'registration', outcome: 'refused', why, data: { clientId: dead } })
    return steps.finish(await steps.begin(dead))
  }
}
