import { bareUrl, cutUrl } from '../client/show-url.ts'
import { plain } from '../output.ts'

/** Anything that could be a credential: JWTs, and long texts without spaces that are no address. */
const credential = /\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<![\w./:-])[A-Za-z0-9_-]{40,}(?![\w./-])/g

/** A URL within words; it ends where the blanks begin. */
const address = /\b[a-z][a-z0-9+.-]{0,30}:[\\/]{2}\S*/gi

/** What ends the words around a URL, and not the URL. */
const marks = new Set(')"\'.,;:')

/** A text that may be sent to somebody else: of URLs scheme, host and path are left, and nothing that could be a credential. */
export function redact(text: string): string {
  return changeUrls(text, bareUrl).replace(credential, '…')
}

/** A text for the user's own terminal: paths tell what was asked for; what a query holds may come from a variable. */
export function withoutQueries(text: string): string {
  return changeUrls(text, (url) => {
    const { start, host, path } = cutUrl(url)
    return start + host + path
  })
}

function changeUrls(text: string, change: (url: string) => string): string {
  return plain(text).replace(address, (found) => {
    let end = found.length
    while (marks.has(found.charAt(end - 1))) end--
    return change(found.slice(0, end)) + found.slice(end)
  })
}
