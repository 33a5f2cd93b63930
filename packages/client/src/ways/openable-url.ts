import { Refusal } from '@warder/protocol'

declare const openableUrlBrand: unique symbol

/** An authorization URL that may be shown to a person and opened in a browser. */
export type OpenableUrl = string & { readonly [openableUrlBrand]: true }

// Only what RFC 3986 allows, so that no terminal, shell, registry entry or browser finds a second meaning in it.
const webUrl =
  /^(https?):\/\/((?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?)(?::[0-9]{1,5})?)(?:[/?](?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$/
const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])
/** Above what any authorization server needs, and below what some program in between cuts off. */
const maxLength = 16_384

/**
 * Reads an authorization URL, made from what a server says about itself: https, or http on `localhost`, `127.0.0.1` or `[::1]`;
 * an allow list, since blocking `javascript:`, `file:` and the like never ends (MCP CL-69, CL-70, CL-72). No user information,
 * no fragment, no character outside RFC 3986; at most 16,384 characters. Throws `sign-in.url`.
 *
 * Does not check whose address it is: that is the part of discovery.
 */
export function readOpenableUrl(raw: string): OpenableUrl {
  if (raw.length > maxLength) throw refused(`longer than ${maxLength} characters`)
  const [, scheme, authority = ''] = webUrl.exec(raw) ?? []
  if (scheme === undefined || !URL.canParse(raw)) throw refused('no plain http or https URL')
  const { hostname, host } = new URL(raw)
  // `https://2130706433/` is read as 127.0.0.1 by browsers, whatever stands on the screen.
  if (host !== authority.toLowerCase().replace(defaultPort(scheme), ''))
    throw refused('its host is not plain')
  if (scheme === 'http' && !loopbackHosts.has(hostname)) throw refused('http to another computer')
  return raw as OpenableUrl
}

const defaultPort = (scheme: string): RegExp => (scheme === 'http' ? /:80$/ : /:443$/)

const refused = (detail: string): Refusal => new Refusal('sign-in.url', { detail })
