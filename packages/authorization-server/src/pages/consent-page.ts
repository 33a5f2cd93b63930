import { html } from 'hono/html'
import { clientBadge, clientName, clientSentence, hostWarning } from './client-words.ts'
import { formAlert } from './form-parts.ts'
import { warningIcon } from './icons.ts'
import { isolate, isolateHost, isolateUrl } from './isolate.ts'
import { layout } from './layout.ts'
import type { Markup } from './markup.ts'
import { scopeList } from './scope-list.ts'
import type { ClientView, ConsentView, OtherServerView, RedirectView } from './views.ts'

/**
 * The consent page as a whole HTML document: who asks, where the answer goes, for which server, what it may do.
 * Posts `form_token`, `decision` (`allow` or `deny`), and `scope` or `server` for each switch that is on to `view.action`.
 * Deny is the first button of the form: the Enter key in any field presses the first one, and must never allow.
 */
export function consentPage(view: ConsentView): string {
  const { client, redirect, server } = view
  const wider = view.scopes.some((scope) => scope.earlier === 'granted')
  return layout({
    title: view.error === undefined ? 'Allow access?' : 'Error: allow access?',
    wide: true,
    body: html`<h1>Allow ${clientName(client)} to ${wider ? 'do more with' : 'use'} the server <strong class="name">${isolate(server.title, 80)}</strong>?</h1>
${view.clientChanged === true ? caution('This application describes itself otherwise than when you allowed it. Look again whether it is the one you know.') : ''}
${wider ? html`<p class="lead">It has access already and asks for more. What is new is marked.</p>` : ''}
<dl class="facts">
<div><dt>Application</dt><dd>${clientName(client)} ${clientBadge(client)}
<p>${clientSentence(client)}</p>${clientDocument(client)}</dd></div>
<div><dt>Answer goes to</dt><dd>${redirectWords(redirect, client)}</dd></div>
<div><dt>MCP server</dt><dd><strong>${isolate(server.title, 80)}</strong>
<p>${isolateUrl(server.resource)}</p></dd></div>
<div><dt>Signed in as</dt><dd>${isolate(view.signedInAs, 254)}</dd></div>
</dl>
<form method="post" action="${view.action}">
<input type="hidden" name="form_token" value="${view.formToken}">
${formAlert(view.error)}
${scopeList({ scopes: view.scopes, chosen: view.chosen })}
${notOffered(view.notOffered)}
${otherServers(view.otherServers ?? [])}
<p class="small">Access lasts until you revoke it, or until the application has not used it for ${view.idleDays} days. It must renew its access every ${view.renewMinutes} minutes.</p>
<div class="decision">
<button class="deny" type="submit" name="decision" value="deny">Deny</button>
<button class="allow" type="submit" name="decision" value="allow">Allow</button>
</div>
</form>`,
  })
}

function clientDocument(client: ClientView): Markup | '' {
  if (client.documentHost === undefined) return ''
  return html`\n<p>${isolateUrl(client.id)}</p>${caution(hostWarning(client.documentHost))}`
}

function redirectWords(redirect: RedirectView, client: ClientView): Markup {
  const address = html`<p>${isolateUrl(redirect.uri)}</p>`
  switch (redirect.kind) {
    case 'web':
      return html`<strong>${isolateHost(redirect.host)}</strong>
${address}${caution(hostWarning(redirect.host))}${caution(otherHostWarning(redirect, client))}`
    case 'loopback':
      return html`<strong>${isolateHost(redirect.host)}</strong>, a program on this computer
${address}${caution('Whichever program listens there gets the access. Go on only if you started this sign-in yourself just now.')}`
    case 'scheme':
      return html`the program that opens <strong>${isolateHost(redirect.host)}:</strong> links
${address}${caution('Any program on this device can claim such links. Go on only if you started this sign-in yourself just now.')}`
  }
}

/** CIMD section 6.1: a host below the one that is proven may be taken for the same; any other is worth a look. */
function otherHostWarning(
  { host }: RedirectView,
  { class: clientClass, documentHost }: ClientView,
): string | undefined {
  if (clientClass !== 'document' || documentHost === undefined) return undefined
  if (host === documentHost || host.endsWith(`.${documentHost}`)) return undefined
  return 'This is another host than the one that publishes the application.'
}

function caution(says: string | undefined): Markup | '' {
  return says === undefined ? '' : html`\n<div class="note caution">${warningIcon}<p>${says}</p></div>`
}

function otherServers(servers: readonly OtherServerView[]): Markup | '' {
  if (servers.length === 0) return ''
  return html`<fieldset>
<legend>Other servers here</legend>
<p class="hint">Switch on what you also want to give, and the application need not ask again.</p>
<ul class="scopes" role="list">
${servers.map(
  (server, index) => html`<li class="scope">
<label for="server-${index}">${isolate(server.title, 80)}</label>
<input id="server-${index}" type="checkbox" role="switch" name="server" value="${server.resource}" aria-describedby="server-${index}-about">
<div class="about" id="server-${index}-about"><p>${server.scopes.map((scope, at) => html`${at === 0 ? '' : ', '}${isolate(scope.title, 120)}`)}.</p>
<p>${isolateUrl(server.resource)}</p></div>
</li>
`,
)}</ul>
</fieldset>`
}

function notOffered(names: readonly string[]): Markup | '' {
  if (names.length === 0) return ''
  const list = names.map((name, index) => html`${index === 0 ? '' : ', '}<code>${isolate(name, 100)}</code>`)
  return html`<p class="small">Also asked for, but not offered, since your access rules do not allow it: ${list}.</p>`
}
