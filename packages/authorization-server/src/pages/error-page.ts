import { html } from 'hono/html'
import { isolate, isolateHost, isolateUrl } from './isolate.ts'
import { layout } from './layout.ts'
import type { ErrorView } from './views.ts'

/** A refusal as a whole HTML document: plain words and no way onward, since whoever made the request chose its addresses. */
export function errorPage(view: ErrorView): string {
  return layout({
    title: 'This did not work',
    body: html`<h1>${isolate(view.title, 120)}</h1>
<p class="lead">${isolate(view.says, 400)}</p>
${view.url === undefined ? '' : html`<p class="where">${isolateUrl(view.url)}</p>`}
${view.withheldFrom === undefined ? '' : html`<p>The answer would have gone to <strong>${isolateHost(view.withheldFrom)}</strong>. Nothing was sent there.</p>`}
<h2>What to do now</h2>
<p>${isolate(view.next, 400)}</p>
<p class="small">Reference for the log: <code>${isolate(view.reference, 80)}</code></p>`,
  })
}
