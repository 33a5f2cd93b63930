import { html } from 'hono/html'
import { clientBadge, clientName, clientSentence } from './client-words.ts'
import { checkIcon } from './icons.ts'
import { isolate, isolateUrl } from './isolate.ts'
import { layout } from './layout.ts'
import type { Markup } from './markup.ts'
import { scopeList } from './scope-list.ts'
import type { AccountDone, AccountView, GrantView, SessionView } from './views.ts'

/** What the form before the page did, in words. */
export const accountDone: Readonly<Record<AccountDone, string>> = {
  saved:
    'Saved. What you switched off ended at once; what you switched on counts when the application renews its access.',
  revoked: 'Revoked. The application has no access any more.',
  ended: 'That sign-in has ended.',
  gone: 'That had ended already. Nothing was changed.',
}

/**
 * The account page as a whole HTML document: what applications may do in the user's name, where the user is signed in.
 * Each grant posts `form_token`, `grant`, `decision` (`save` or `revoke`) and `scope` for each switch that is on to `PATH/grant`;
 * a sign-in posts `session` to `PATH/session`; signing out is a form at `PATH/sign-out`.
 */
export function accountPage(view: AccountView): string {
  return layout({
    title: 'Your account',
    wide: true,
    body: html`<h1>Your account</h1>
${view.done === undefined ? '' : html`<div class="note good" role="status">${checkIcon}<p>${accountDone[view.done]}</p></div>`}
<div class="row"><p class="lead">Signed in as ${isolate(view.signedInAs, 254)}</p>${smallForm(view, 'sign-out', 'Sign out')}</div>
<h2>Applications with access</h2>
${view.grants.length === 0 ? html`<p class="hint">No application has access in your name.</p>` : ''}
${view.grants.map((grant, index) => grantCard(grant, `grant-${index}-`, view))}
<h2>Where you are signed in</h2>
<p class="hint">In browsers, on these pages. Applications do not appear here.</p>
<ul class="rows" role="list">
${view.sessions.map((session) => sessionRow(session, view))}</ul>`,
  })
}

function grantCard(grant: GrantView, prefix: string, view: AccountView): Markup {
  const { client, server } = grant
  const used =
    grant.lastRefreshed === undefined
      ? html`not renewed since`
      : html`last renewed ${moment(grant.lastRefreshed)}`
  return html`<section class="grant" aria-labelledby="${prefix}title">
<h3 id="${prefix}title">${clientName(client)} ${clientBadge(client)}</h3>
<p>${clientSentence(client)}</p>
<p>Uses <strong>${isolate(server.title, 80)}</strong> ${isolateUrl(server.resource)}</p>
<p>Since ${moment(grant.since)}, ${used}</p>
${gone(grant.gone)}
${scopeForm(grant, prefix, view)}
<form method="post" action="${view.path}/grant">
${hidden(view, grant)}
<button class="quiet" type="submit" name="decision" value="revoke" aria-describedby="${prefix}title">Revoke all access</button>
</form>
</section>
`
}

function scopeForm(grant: GrantView, prefix: string, view: AccountView): Markup | '' {
  if (grant.scopes.length === 0) return ''
  const hint = 'What you switch off ends at once.'
  const list = scopeList({ scopes: grant.scopes, chosen: grant.on, prefix, hint })
  const held = grant.scopes.filter(({ name }) => grant.on.includes(name))
  const words = held.map(({ title }, at) => html`${at === 0 ? '' : ', '}${isolate(title, 120)}`)
  const changeable = grant.scopes.some(({ basic }) => !basic)
  return html`<p>May: ${words}</p>
<details><summary>${changeable ? 'Look closer or change' : 'Look closer'}</summary>
<form method="post" action="${view.path}/grant">
${hidden(view, grant)}
${list}
${changeable ? html`<button class="allow" type="submit" name="decision" value="save" aria-describedby="${prefix}title">Save</button>` : ''}
</form></details>`
}

function gone(names: readonly string[]): Markup | '' {
  if (names.length === 0) return ''
  const list = names.map((name, at) => html`${at === 0 ? '' : ', '}<code>${isolate(name, 100)}</code>`)
  return html`<p>Granted, but not allowed by the rules of now: ${list}.</p>`
}

function hidden(view: AccountView, grant: GrantView): Markup {
  return html`<input type="hidden" name="form_token" value="${view.formToken}">
<input type="hidden" name="grant" value="${grant.id}">`
}

function sessionRow(session: SessionView, view: AccountView): Markup {
  const words = html`<p>Since ${moment(session.signedInAt)}<br><span class="hint">until ${moment(session.expiresAt)} at most</span></p>`
  if (session.current)
    return html`<li class="row">${words}<span class="badge proven">this browser</span></li>\n`
  return html`<li class="row">${words}${smallForm(view, 'session', 'End', session.id)}</li>\n`
}

function smallForm(view: AccountView, place: string, label: string, session?: string): Markup {
  return html`<form method="post" action="${view.path}/${place}">
<input type="hidden" name="form_token" value="${view.formToken}">
${session === undefined ? '' : html`<input type="hidden" name="session" value="${session}">`}<button class="deny" type="submit">${label}</button>
</form>`
}

const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })

/** In UTC and marked so: without a script the page cannot know the reader's time zone. */
function moment(at: number): Markup {
  return html`<time datetime="${new Date(at).toISOString()}">${format.format(at)} UTC</time>`
}
