import { type Form, Refusal } from '@warder/protocol'
import type { Grant, User } from '@warder/store'
import { loadPolicy } from '../load-policy.ts'
import type { Answer } from '../message.ts'
import { seeOther } from '../page-response.ts'
import { readSwitchForm } from '../read-body.ts'
import type { Endpoint, Services } from '../services.ts'
import { offeredFor } from './describe-grants.ts'
import { checkVisitor, visitPath } from './visit.ts'

/**
 * The form of one grant on the account page: revoke it, or give it the scopes whose switches are on. What may be switched on
 * is decided anew, by the access rules of this moment. A grant that has ended, or is somebody else's, changes nothing.
 */
export const changeGrant: Endpoint = async (request, { id }, services) => {
  const { store, issuer, now } = services
  const { visitor, form } = await checkVisitor(services, request, id, () =>
    readSwitchForm(request, ['scope']),
  )
  const { user } = visitor
  const grant = await findOwnGrant(services, user, form)
  const press = form.get('decision')
  if (press !== 'revoke' && press !== 'save') throw new Refusal('parameter.malformed', { detail: 'decision' })
  const done = (what: string): Answer => seeOther(`${visitPath(issuer, id)}?done=${what}`)
  if (grant === undefined) return done('gone')
  const scopes = press === 'save' ? readScopes(services, user, grant, form.all('scope')) : []
  // With every switch off nothing is left to grant.
  if (scopes.length === 0) {
    await store.grants.revokeAndForget({ id: grant.id, userId: user.id, because: 'by the user', now: now() })
    return done('revoked')
  }
  const changed = await store.grants.changeScopes({ id: grant.id, userId: user.id, scopes, now: now() })
  return done(changed ? 'saved' : 'gone')
}

async function findOwnGrant(
  { store, now }: Pick<Services, 'store' | 'now'>,
  user: User,
  form: Form,
): Promise<Grant | undefined> {
  const wanted = form.get('grant')
  return (await store.grants.listInUse(user.id, now())).find((grant) => grant.id === wanted)
}

function readScopes(
  services: Pick<Services, 'issuer' | 'policy' | 'resources'>,
  user: User,
  grant: Grant,
  switchedOn: readonly string[],
): readonly string[] {
  const served = services.resources().find(({ resource }) => resource === grant.resource)
  if (served === undefined) throw new Refusal('resource.unknown')
  const offered = offeredFor(services, user, grant, {
    policy: loadPolicy(services),
    server: served.server,
  })
  return offered
    .filter(({ name, basic }) => (basic && grant.scopes.includes(name)) || switchedOn.includes(name))
    .map(({ name }) => name)
}
