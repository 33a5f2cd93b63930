import { isLoopbackHost, Refusal, splitWebUri } from '@warder/protocol'

declare const openableUrlBrand: unique symbol

/** An authorization URL that may be shown to a person and opened in a browser. */
export type OpenableUrl = string & { readonly [openableUrlBrand]: true }

/** Above what any authorization server needs, and below what some program in between cuts off. */
const maxLength = 16_384

/**
 * Reads an authorization URL, made from what a server says about itself: https, or http on this computer; an allow list, since
 * blocking `javascript:`, `file:` and the like never ends (MCP CL-69, CL-70, CL-72). No user information, no fragment, no
 * character outside RFC 3986, so that no terminal, shell, registry entry or browser finds a second meaning in it; at most
 * 16,384 characters. Throws `sign-in.url`.
 *
 * Does not check whose address it is: that is the part of discovery.
 */
export function readOpenableUrl(raw: string): OpenableUrl {
  const uri = splitWebUri(raw, maxLength)
  if (uri === undefined) throw refused(`no plain http or https URL of at most ${maxLength} characters`)
  if (uri.scheme === 'https' || (uri.scheme === 'http' && isLoopbackHost(uri.host))) return raw as OpenableUrl
  throw refused('http to another computer')
}

const refused = (detail: string): Refusal => new Refusal('sign-in.url', { detail })
