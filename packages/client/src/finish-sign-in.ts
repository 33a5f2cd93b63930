import { type Form, Refusal, readForm, toRefusal } from '@warder/protocol'
import { isSameSecret } from './is-same-secret.ts'
import type { SignInRecord } from './start-sign-in.ts'
import { hideSecrets } from './tokens/hide-secrets.ts'
import type { Trace } from './trace.ts'

declare const provenCode: unique symbol

/** A code that came with the state of this sign-in and from the issuer that it was started with. */
export type ProvenCode = string & { readonly [provenCode]: true }

/**
 * Proves the answer of a sign-in, in this order: it came to our redirect URI, it has our `state` (CL-63, compared in constant
 * time), it is from the issuer that was asked (RFC 9207, CL-12 to CL-17, raw strings). Only then is it looked at whether there is
 * an error or a code: of an answer that is not proven nothing is used, shown or traced (CL-18, Q04, Q22).
 *
 * Throws `callback.malformed`, `callback.state`, `callback.issuer`, and `callback.refused` with the words of the server, which by
 * then is the right one. Does not redeem the code.
 */
export function finishSignIn(record: SignInRecord, callback: string, trace: Trace): ProvenCode {
  try {
    const form = readCallback(record.redirectUri, callback)
    checkState(record.state, form.get('state'))
    checkIss(record, form.get('iss'))
    const code = readCode(form)
    trace({ step: 'callback', outcome: 'done', data: { issuer: record.issuer } })
    return code
  } catch (error) {
    const { reason, message } = toRefusal(error)
    trace({ step: 'callback', outcome: 'refused', why: message, refusal: reason })
    throw error
  }
}

function readCallback(redirectUri: string, callback: string): Form {
  const [withoutFragment = ''] = callback.split('#', 1)
  const start = `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}`
  if (!withoutFragment.startsWith(start)) throw new Refusal('callback.malformed', { detail: 'another place' })
  try {
    return readForm(withoutFragment.slice(start.length))
  } catch (error) {
    // Without the words of the reader: they may hold what nobody has proven.
    if (error instanceof Refusal) throw new Refusal('callback.malformed', { detail: error.reason })
    throw error
  }
}

function checkState(expected: string, found: string | undefined): void {
  if (found === undefined || !isSameSecret(expected, found)) throw new Refusal('callback.state')
}

/** The four rows of the table in MCP, authorization response validation. */
function checkIss({ issuer, sendsIss }: SignInRecord, iss: string | undefined): void {
  if (iss === undefined ? sendsIss : iss !== issuer) throw new Refusal('callback.issuer')
}

function readCode(form: Form): ProvenCode {
  const error = form.get('error')
  if (error !== undefined) {
    const words = [error, form.get('error_description') ?? ''].map((text) => hideSecrets(text, []))
    const detail = words.filter((text) => text !== '').join(': ')
    throw new Refusal('callback.refused', { detail, data: { error: words[0] } })
  }
  const code = form.get('code')
  if (code === undefined || !/^[\x20-\x7e]{1,8192}$/.test(code)) {
    throw new Refusal('callback.malformed', { detail: 'neither code nor error' })
  }
  return code as ProvenCode
}
