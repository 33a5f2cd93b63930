import { type Form, Refusal } from '@warder/protocol'

/** Only the code flow with its answer in the query (OAuth 2.1 section 4.1.1); no JAR, no implicit, no hybrid. */
export function checkResponseType(query: Form): void {
  if (query.get('request') !== undefined) throw new Refusal('request-object.unsupported')
  // Never fetched: a URL in a request is not a reason to go there.
  if (query.get('request_uri') !== undefined) throw new Refusal('request-uri.unsupported')
  const responseType = query.get('response_type')
  if (responseType === undefined) throw new Refusal('parameter.missing', { detail: 'response_type' })
  if (responseType !== 'code') throw new Refusal('response-type.unsupported')
  const responseMode = query.get('response_mode')
  if (responseMode !== undefined && responseMode !== 'query') throw new Refusal('response-mode.unsupported')
}

/** What `prompt` asks for (OpenID Connect Core section 3.1.2.1). `none` throws: a person always has to look. */
export interface Prompt {
  readonly signInAgain: boolean
  readonly askAgain: boolean
}

/** Reads `prompt`; unknown values are ignored. */
export function checkPrompt(query: Form): Prompt {
  const words = (query.get('prompt') ?? '').split(' ')
  if (words.includes('none')) throw new Refusal('prompt.none')
  return {
    signInAgain: words.includes('login') || words.includes('select_account'),
    askAgain: words.includes('consent'),
  }
}
