import { withoutInvisible } from '@warder/protocol'
import { html } from 'hono/html'
import type { Markup } from './markup.ts'

// Stacked marks paint over the lines above and below.
const stackedMarks = /(\p{M}{2})\p{M}+/gu

/**
 * What is left of a text that somebody else chose, when it may not mislead by its form: one line, visible characters, at
 * most `most` characters and an ellipsis. May be empty. Does not escape: the `html` template does.
 */
export function visibleText(text: string, most: number): string {
  // Cut before it is searched, so that no input makes the page slow; four times as much leaves room for what goes away.
  const limit = most * 4 + 64
  const line = withoutInvisible(text.slice(0, limit).replace(/[\t\n\r]/g, ' '))
    .replace(stackedMarks, '$1')
    .replace(/\s+/g, ' ')
    .trim()
  const characters = Array.from(line)
  const whole = characters.length <= most && text.length <= limit
  return whole || line === '' ? line : `${characters.slice(0, most).join('')}…`
}

/** A text that somebody else chose, visible, bounded, and unable to change the direction of the text around it. */
export function isolate(text: string, most = 200): Markup {
  return html`<bdi>${visibleText(text, most)}</bdi>`
}

/**
 * A host name, whole, since what counts in it stands at its end. DNS allows 253 characters, a port adds six; what is longer
 * is no host and loses its beginning.
 */
export function isolateHost(host: string): Markup {
  const most = 262
  const end = visibleText(host.slice(-most), most)
  return html`<bdi class="host" dir="ltr">${host.length > most ? '…' : ''}${end}</bdi>`
}

/** A URL as text, never as a link; long enough that its host is never cut. */
export function isolateUrl(url: string): Markup {
  return html`<code class="url"><bdi dir="ltr">${visibleText(url, 320)}</bdi></code>`
}
