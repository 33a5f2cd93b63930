import { html } from 'hono/html'
import { clientBadge, clientName } from './client-words.ts'
import { formAlert, formField } from './form-parts.ts'
import { isolate, isolateUrl } from './isolate.ts'
import { layout } from './layout.ts'
import type { Markup } from './markup.ts'
import type { LoginView } from './views.ts'

/**
 * The sign-in page as a whole HTML document: which application asks, for which server (or that it is for the account page),
 * e-mail and password.
 * Posts `form_token`, `email` and `password` to `view.action`.
 */
export function loginPage(view: LoginView): string {
  const { request, error } = view
  return layout({
    title: error === undefined ? 'Sign in' : 'Error: sign in',
    body: html`<h1>Sign in</h1>
${purpose(request)}
<form method="post" action="${view.action}">
<input type="hidden" name="form_token" value="${view.formToken}">
${formAlert(error?.says)}
${formField({
  name: 'email',
  label: 'E-mail',
  type: 'email',
  autocomplete: 'username',
  error,
  ...(view.email === undefined ? {} : { value: view.email }),
})}
${formField({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', error })}
<button class="allow" type="submit">Sign in</button>
</form>
${request === undefined ? '' : html`<p class="small">Your password stays on this server; the application never sees it. You decide on the next page what the application may do.</p>`}`,
  })
}

function purpose(request: LoginView['request']): Markup {
  if (request === undefined)
    return html`<p class="lead">Here you see what applications may do in your name, and can change it.</p>`
  const { client, server } = request
  return html`<p class="lead">${clientName(client)} ${clientBadge(client)} wants to use the MCP server <strong class="name">${isolate(server.title, 80)}</strong>.</p>
<p class="where">${isolateUrl(server.resource)}</p>`
}
