import { deriveSecret } from '../tokens/secret.ts'
import type { Offer } from './decide-consent.ts'
import type { OtherServer } from './other-servers.ts'

/** What a consent page offers: the scopes, each as a switch or as always included, and other servers with theirs. */
export interface Shown {
  readonly offer: Offer
  readonly others: readonly OtherServer[]
}

/**
 * The token of a consent form: the form token, and a mark for each thing that the page shows. The rules may change while the page
 * is open, and Allow must grant nothing that stood there otherwise or not at all. They are one field, so that no form can have
 * the one without the other.
 */
export function consentToken(formToken: string, shown: Shown): string {
  return [formToken, ...marksOf(formToken, shown)].join('.')
}

/** The form token in the token of a consent form. */
export function formTokenIn(consentToken: string): string {
  return consentToken.split('.', 1)[0] ?? ''
}

/** Whether the page of this token showed all of it, and in the same way. It may have shown more. */
export function wasShown(consentToken: string, shown: Shown): boolean {
  const [formToken = '', ...marks] = consentToken.split('.')
  return marksOf(formToken, shown).every((mark) => marks.includes(mark))
}

/** Short, since there may be hundreds, and nobody gains by forging one: whoever has the form token may press Allow anyway. */
function marksOf(formToken: string, { offer, others }: Shown): string[] {
  const things = [
    ...offer.scopes.map(({ name, basic }) => `${basic ? 'included' : 'switch'} ${name}`),
    ...others.flatMap(({ served, scopes }) => scopes.map(({ name }) => `server ${served.resource} ${name}`)),
  ]
  return things.map((thing) => deriveSecret(formToken, `shown ${thing}`).slice(0, 16))
}
