import { isJsonObject, type JsonObject, ownValue } from '@warder/protocol'
import type { Outcome } from '../child-peer.ts'
import { makeError } from './outcome.ts'

const maxRounds = 10
/** What a server may ask for while it works (GW-73), and what a host must have declared for it. */
export const questions: Readonly<Record<string, string>> = {
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
}

/** Whether a result asks for something before it is complete. */
function asksForInput(outcome: Outcome): outcome is Outcome & { kind: 'result' } {
  return outcome.kind === 'result' && outcome.result['resultType'] === 'input_required'
}

/**
 * Carries a request of a host with sessions through the rounds of a server without (MRTR): what the server asks for is put to the host
 * as requests of their own, and the request is repeated with the answers and the server's state as it came. A question is passed on
 * whole and unread; an elicitation by URL too, which only the person at the host opens (Q23). At most ten rounds.
 */
export async function runInputRounds(
  params: JsonObject,
  send: (params: JsonObject) => Promise<Outcome>,
  ask: (method: string, params: JsonObject | undefined) => Promise<Outcome>,
): Promise<Outcome> {
  let outcome = await send(params)
  for (let round = 0; asksForInput(outcome); round += 1) {
    if (round === maxRounds)
      return makeError(-32603, `The MCP server asked for input more than ${maxRounds} times.`)
    const asked = ownValue(outcome.result, 'inputRequests')
    const state = ownValue(outcome.result, 'requestState')
    const answers = await askAll(isJsonObject(asked) ? asked : {}, ask)
    if ('kind' in answers) return answers
    outcome = await send({
      ...params,
      inputResponses: answers.responses,
      ...(typeof state === 'string' ? { requestState: state } : {}),
    })
  }
  return outcome
}

async function askAll(
  asked: JsonObject,
  ask: (method: string, params: JsonObject | undefined) => Promise<Outcome>,
): Promise<{ readonly responses: JsonObject } | Outcome> {
  const each = async ([key, question]: [string, unknown]): Promise<readonly [string, Outcome]> => {
    const { method, params } = isJsonObject(question) ? question : {}
    if (typeof method !== 'string' || !Object.hasOwn(questions, method)) {
      return [key, makeError(-32603, 'The MCP server asks for something that cannot be passed on.')]
    }
    return [key, await ask(method, isJsonObject(params) ? params : undefined)]
  }
  const answers = await Promise.all(Object.entries(asked).map(each))
  const bad = answers.find(([, outcome]) => outcome.kind !== 'result')
  if (bad !== undefined) return bad[1]
  const responses = answers.map(([key, outcome]) => [key, outcome.kind === 'result' ? outcome.result : {}])
  return { responses: Object.fromEntries(responses) as JsonObject }
}
