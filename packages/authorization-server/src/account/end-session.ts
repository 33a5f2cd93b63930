import { endBrowserCookie } from '../browser.ts'
import { pageResponse, seeOther } from '../page-response.ts'
import { donePage } from '../pages/index.ts'
import { readFormBody } from '../read-body.ts'
import type { Endpoint } from '../services.ts'
import { checkVisitor, visitPath } from './visit.ts'

/** Ends one of the user's other sign-ins. One that is not there, or is somebody else's, changes nothing. */
export const endSession: Endpoint = async (request, { id }, services) => {
  const { store, issuer, now } = services
  const { visitor, form } = await checkVisitor(services, request, id, () => readFormBody(request))
  const sessions = await store.sessions.list(visitor.user.id, now())
  const ended = sessions.find(({ hash }) => hash === form.get('session'))
  if (ended !== undefined) await store.sessions.end(ended.hash, now())
  return seeOther(`${visitPath(issuer, id)}?done=${ended === undefined ? 'gone' : 'ended'}`)
}

/** Signs out in this browser. What applications may do stays as it is, and the page says so. */
export const signOut: Endpoint = async (request, { id }, services) => {
  const { store, issuer, now } = services
  const { visitor } = await checkVisitor(services, request, id, () => readFormBody(request))
  await store.sessions.end(visitor.sessionHash, now())
  const html = donePage({
    title: 'You are signed out',
    says: 'Applications that you allowed keep their access until you revoke it.',
    next: 'Close this page.',
  })
  return pageResponse(html, { headers: { 'Set-Cookie': endBrowserCookie(issuer, visitPath(issuer, id)) } })
}
