import { html } from 'hono/html'
import { clientBadge, clientName } from './client-words.ts'
import { formAlert, formField } from './form-parts.ts'
import { isolate, isolateUrl } from './isolate.ts'
import { layout } from './layout.ts'
import type { LoginView } from './views.ts'

/**
 * The sign-in page as a whole HTML document: which application asks, for which server, e-mail and password.
 * Posts `form_token`, `email` and `password` to `view.action`.
 */
export function loginPage(view: LoginView): string {
  const { client, server, error } = view
  return layout({
    title: error === undefined ? 'Sign in' : 'Error: sign in',
    body: html`<h1>Sign in</h1>
<p class="lead">${clientName(client)} ${clientBadge(client)} wants to use the MCP server <strong class="name">${isolate(server.title, 80)}</strong>.</p>
<p class="where">${isolateUrl(server.resource)}</p>
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
<p class="small">Your password stays on this server; the application never sees it. You decide on the next page what the application may do.</p>`,
  })
}
