import { html } from 'hono/html'
import { checkIcon, warningIcon } from './icons.ts'
import { isolate, isolateHost, visibleText } from './isolate.ts'
import type { Markup } from './markup.ts'
import type { ClientView } from './views.ts'

/** The name that the client gave itself, set apart from our own words so that it cannot pass as a part of the sentence. */
export function clientName(client: ClientView): Markup {
  if (visibleText(client.name, 1) === '') return html`<span>An application without a name</span>`
  return html`<strong class="name">${isolate(client.name, 80)}</strong>`
}

/** How sure the identity is, in one or two words with a symbol. */
export function clientBadge(client: ClientView): Markup {
  switch (client.class) {
    case 'document':
      return html`<span class="badge proven">${checkIcon}${
        client.documentHost === undefined ? 'host proven' : isolateHost(client.documentHost)
      }</span>`
    case 'pre-registered':
      return html`<span class="badge proven">${checkIcon}known here</span>`
    default:
      return html`<span class="badge doubtful">${warningIcon}unverified</span>`
  }
}

/** How sure the identity is, in one plain sentence. */
export function clientSentence(client: ClientView): Markup {
  const host = client.documentHost === undefined ? undefined : isolateHost(client.documentHost)
  switch (client.class) {
    case 'pre-registered':
      return html`The operator of this server entered this application.`
    case 'document':
      return html`This host is proven to publish the application. The name is its own choice.`
    case 'local':
      return host === undefined
        ? html`A program on this computer. Any program on it could claim to be this.`
        : html`A program on this computer that says it comes from ${host}. Any program on it could claim to be this.`
    case 'self-registered':
      return html`The application registered itself. Nobody has checked that it is what its name says.`
  }
}

/** What is odd about a host name that somebody else chose; undefined where nothing is. */
export function hostWarning(host: string): string | undefined {
  if (/[^\u0021-\u007e]|(?:^|\.)xn--/i.test(host)) {
    return 'This address contains letters of other alphabets, which can look like the letters of a well-known name.'
  }
  if (host.length > 60) return 'This address is unusually long. What counts is its end.'
  return undefined
}
