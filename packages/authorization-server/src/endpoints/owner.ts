import { type Form, type Reason, Refusal } from '@warder/protocol'
import { checkFormOrigin, checkFormToken } from '../checks/check-form.ts'
import { checkNewPassword, passwordLength, readEmail } from '../checks/check-new-user.ts'
import { describeFailed, type FailedForm, failedOptions } from '../failed-form.ts'
import type { Answer } from '../message.ts'
import { pageResponse } from '../page-response.ts'
import { donePage, ownerPage } from '../pages/index.ts'
import { readFormBody } from '../read-body.ts'
import type { Endpoint, Services } from '../services.ts'
import { describeServer } from '../steps/describe-request.ts'
import { deriveSecret, hashSecret, makeId } from '../tokens/secret.ts'

/** What the person at the form can put right there. */
const retryable: ReadonlySet<Reason> = new Set<Reason>(['password.weak', 'email.malformed', 'email.taken'])

const refusalOf = {
  'link-invalid': 'owner-link.invalid',
  'owner-exists': 'owner.exists',
  'email-taken': 'email.taken',
} as const

/** The first-run page. Opening it does not use the link up: previews and scanners open links too. */
export const ownerForm: Endpoint = async (_request, { id }, services) => {
  await checkOwnerLink(services, id)
  return ownerResponse(services, id)
}

/** Makes the owner. The link is consumed in the same transaction, so of any number of racers one becomes the owner. */
export const owner: Endpoint = async (request, { id }, services) => {
  const { store, issuer, passwords, now } = services
  checkFormOrigin(request, issuer)
  const form = await readFormBody(request)
  checkFormToken(form.get('form_token'), hashSecret(ownerFormToken(id)))
  // Before the costly hash.
  await checkOwnerLink(services, id)
  const given = form.get('email') ?? ''
  try {
    const email = readEmail(given)
    const password = readPassword(form)
    const user = { id: makeId('wus_'), email, passwordHash: await passwords.hash(password) }
    const outcome = await store.users.claimOwner({ linkHash: hashSecret(id), user, now: now() })
    if (outcome !== 'made') throw new Refusal(refusalOf[outcome])
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (!retryable.has(error.reason)) throw error
    return ownerResponse(services, id, { refusal: error, email: given })
  }
  return pageResponse(
    donePage({
      title: 'You are the owner',
      says: 'From now on you sign in with this e-mail address and password.',
      next: 'Close this page, and connect your application to the MCP server.',
    }),
  )
}

function ownerResponse(
  { issuer, resources }: Pick<Services, 'issuer' | 'resources'>,
  link: string,
  failed?: FailedForm,
): Answer {
  const html = ownerPage({
    action: `${issuer.path}/owner/${link}`,
    formToken: ownerFormToken(link),
    servers: resources().map(describeServer),
    passwordLength,
    ...describeFailed(failed),
  })
  return pageResponse(html, failedOptions(failed))
}

/** The link is the secret; its form carries a token that follows from it. */
function ownerFormToken(link: string): string {
  return deriveSecret(link, 'owner form')
}

async function checkOwnerLink({ store, now }: Pick<Services, 'store' | 'now'>, link: string): Promise<void> {
  if (await store.users.hasOwner()) throw new Refusal('owner.exists')
  if (!(await store.users.isOwnerLinkAlive(hashSecret(link), now()))) throw new Refusal('owner-link.invalid')
}

function readPassword(form: Form): string {
  const password = checkNewPassword(form.get('password') ?? '')
  if (password !== form.get('password_again')) throw new Refusal('password.weak')
  return password
}
