import { html } from 'hono/html'
import { formAlert, formField } from './form-parts.ts'
import { isolate, isolateUrl } from './isolate.ts'
import { layout } from './layout.ts'
import type { OwnerView } from './views.ts'

/**
 * The first-run page as a whole HTML document, where the owner sets e-mail and password.
 * Posts `form_token`, `email`, `password` and `password_again` to `view.action`.
 */
export function ownerPage(view: OwnerView): string {
  const { error } = view
  const servers = view.servers.map(
    (server) => html`<li><strong>${isolate(server.title, 80)}</strong> ${isolateUrl(server.resource)}</li>`,
  )
  return layout({
    title: error === undefined ? 'Set up the owner' : 'Error: set up the owner',
    body: html`<h1>Become the owner</h1>
<p class="lead">With this e-mail address and password you sign in when an application wants to use your MCP server, and you decide what it may do.</p>
${servers.length === 0 ? '' : html`<ul class="servers">${servers}</ul>`}
<form method="post" action="${view.action}">
<input type="hidden" name="form_token" value="${view.formToken}">
${formAlert(error?.says)}
${formField({
  name: 'email',
  label: 'E-mail',
  type: 'email',
  autocomplete: 'username',
  hint: 'It names you here. Nothing is sent to it.',
  error,
  ...(view.email === undefined ? {} : { value: view.email }),
})}
${formField({
  name: 'password',
  label: 'Password',
  type: 'password',
  autocomplete: 'new-password',
  hint: `At least ${view.passwordLength} characters. Several words are fine.`,
  minLength: view.passwordLength,
  error,
})}
${formField({
  name: 'password_again',
  label: 'Password, once more',
  type: 'password',
  autocomplete: 'new-password',
  minLength: view.passwordLength,
  error,
})}
<button class="allow" type="submit">Set up the owner</button>
</form>
<p class="small">The password is stored on this machine, as a hash only. This page works once.</p>`,
  })
}
