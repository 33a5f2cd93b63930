import { type Form, Refusal } from '@warder/protocol'
import type { User } from '@warder/store'
import type { FailedForm } from '../failed-form.ts'
import { logRefusal } from '../log-refusal.ts'
import type { Answer, WebRequest } from '../message.ts'
import type { Peer, Services } from '../services.ts'
import { loadUserByPassword } from './load-user-by-password.ts'

/**
 * What a sign-in form with `email` and `password` comes to. `enter` stores the sign-in of whoever showed the password, and says
 * where to go next; every `login.` refusal, of `enter` too, shows the form again.
 */
export async function signInByPassword(
  services: Services,
  sent: { readonly request: WebRequest; readonly form: Form; readonly peer: Peer; readonly route: string },
  next: {
    enter(user: User): Promise<Answer>
    showAgain(failed: FailedForm): Answer
  },
): Promise<Answer> {
  const { request, form, peer, route } = sent
  const email = (form.get('email') ?? '').trim().toLowerCase()
  try {
    const user = await loadUserByPassword(services, {
      email,
      password: form.get('password') ?? '',
      address: peer.address,
      request,
    })
    const answer = await next.enter(user)
    const cookies = [answer.headers['Set-Cookie'] ?? [], services.devices.remember(request, user)].flat(2)
    return { ...answer, headers: { ...answer.headers, 'Set-Cookie': cookies } }
  } catch (error) {
    if (!(error instanceof Refusal) || !error.reason.startsWith('login.')) throw error
    logRefusal(services.log, error, { route, peer: peer.address })
    return next.showAgain({ refusal: error, email })
  }
}
