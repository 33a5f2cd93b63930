import { html, raw } from 'hono/html'
import { towerIcon } from './icons.ts'
import type { Markup } from './markup.ts'
import { pageStyle } from './style.ts'

/** What a page puts into the document. */
export interface PageContent {
  /** For the title bar and the screen reader: what page this is. Never a text that a client chose. */
  readonly title: string
  readonly body: Markup
  /** Wider card, for the consent page. */
  readonly wide?: boolean
}

/** The whole HTML document around one page: one card, one stylesheet, no script, nothing from elsewhere. */
export function layout(page: PageContent): string {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${page.title} – Warder</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<style>${raw(pageStyle)}</style>
</head>
<body>
<header>${towerIcon}<span>Warder</span></header>
<main${page.wide === true ? html` class="wide"` : ''}>
${page.body}
</main>
<footer>Warder guards the MCP servers on this host.</footer>
</body>
</html>
`
  // A promise could only come from a promise in a template; its text would be `[object Promise]`, not a page.
  if (document instanceof Promise) throw new TypeError('a page is made of text only')
  return document.toString()
}
