import type { Reason, Refusal } from '@warder/protocol'
import { retryAfter } from './oauth-error-response.ts'
import type { PageOptions } from './page-response.ts'
import type { FormError } from './pages/index.ts'

/** A form that goes back to whoever sent it, with what was entered; never with a password. */
export interface FailedForm {
  readonly refusal: Refusal
  readonly email: string
}

/** Which fields a reason is about; one that is not here is about none of them. */
const wrongFields: Partial<Record<Reason, FormError['fields']>> = {
  'login.wrong': ['email', 'password'],
  'password.weak': ['password'],
  'email.malformed': ['email'],
  'email.taken': ['email'],
}

/** What the page of the form shows of it; nothing where the form is shown for the first time. */
export function describeFailed(failed?: FailedForm): { email?: string; error?: FormError } {
  if (failed === undefined) return {}
  const { email, refusal } = failed
  return { email, error: { says: refusal.rule.says, fields: wrongFields[refusal.reason] ?? [] } }
}

/** With which status and headers that page goes out. */
export function failedOptions(failed?: FailedForm): PageOptions {
  return failed === undefined
    ? {}
    : { status: failed.refusal.rule.status, headers: retryAfter(failed.refusal) }
}
