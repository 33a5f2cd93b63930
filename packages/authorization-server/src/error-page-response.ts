import type { Reason, Refusal } from '@warder/protocol'
import type { Answer } from './message.ts'
import { retryAfter } from './oauth-error-response.ts'
import { pageResponse } from './page-response.ts'
import { errorPage } from './pages/index.ts'

const again = 'Go back to the application and start again.'
/** Either somebody made this link to lead on to a page of theirs, or the application asks for something that it must not. */
const notSent =
  'If you did not start this yourself just now, close this page. Otherwise tell the developer of the application what it says.'

const nextSteps: Partial<Record<Reason, string>> = {
  'http.path': 'Check the address.',
  'client.unknown': 'Remove the server in the application and add it again, so that it registers anew.',
  'client.document-url': 'Tell the developer of the application.',
  'client.document-unreachable':
    'Try again in a moment. If it stays so, tell the developer of the application.',
  'client.document-invalid': 'Tell the developer of the application.',
  'redirect.missing': 'Tell the developer of the application. Do not follow any link that brought you here.',
  'redirect.unregistered':
    'Tell the developer of the application. Do not follow any link that brought you here.',
  'visit.unknown': 'Open the account page again at its own address.',
  'form.origin': 'If you did not expect this page, close it. Otherwise start again from the application.',
  'form.token': 'Go back, reload the page and try again.',
  'owner-link.invalid': 'Look for the newest owner link in the terminal where Warder runs.',
  'owner.exists': 'Sign in with the e-mail address and the password of the owner.',
  'owner.missing': 'Open the owner link first, then start again from the application.',
  'login.throttled': 'Wait a little, then try again.',
  'http.throttled': 'Wait a little, then try again.',
  'store.unavailable': 'Try again in a moment.',
  'policy.unavailable': 'Try again in a moment, or look at the log of the server.',
  'keys.unavailable': 'Try again in a moment, or look at the log of the server.',
  internal: 'Try again. If it stays so, look into the log of the server.',
}

/** Answers a browser with the error page: no link, no redirect, and a reference that finds the entry in the log. */
export function errorPageResponse(
  refusal: Refusal,
  reference: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const { status, says } = refusal.rule
  const { url, withheldFrom } = refusal.notes
  const html = errorPage({
    title: status >= 500 ? 'Something went wrong here' : 'This cannot go on',
    says,
    next: nextSteps[refusal.reason] ?? (withheldFrom === undefined ? again : notSent),
    reference,
    ...(url === undefined ? {} : { url }),
    ...(withheldFrom === undefined ? {} : { withheldFrom }),
  })
  return pageResponse(html, {
    // 401 without a challenge means nothing to a browser.
    status: status === 401 ? 400 : status,
    headers: { ...retryAfter(refusal), ...headers },
  })
}
