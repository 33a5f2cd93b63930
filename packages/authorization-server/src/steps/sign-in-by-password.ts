import { type Form, Refusal } from '@warder/protocol'
import type { User } from '@warder/store'
import type { FailedForm } from '../failed-form.ts'
import { logRefusal } from '../log-refusal.ts'
import type { Peer, Services } from '../services.ts'
import { loadUserByPassword } from './load-user-by-password.ts'

/**
 * What a sign-in form with `email` and `password` comes to. `enter` stores the sign-in of whoever showed the password, and says
 * where to go next; every `login.` refusal, of `enter` too, shows the form again.
 */
export async function signInByPassword(
  services: Services,
  sent: { readonly request: Request; readonly form: Form; readonly peer: Peer; readonly route: string },
  next: {
    enter(user: User): Promise<Response>
    showAgain(failed: FailedForm): Response
  },
): Promise<Response> {
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
    for (const cookie of services.devices.remember(request, user)) answer.headers.append('Set-Cookie', cookie)
    return answer
  } catch (error) {
    if (!(error instanceof Refusal) || !error.reason.startsWith('login.')) throw error
    logRefusal(services.log, error, { route, peer: peer.address })
    return next.showAgain({ refusal: error, email })
  }
}
