import { html } from 'hono/html'
import { checkIcon } from './icons.ts'
import { isolate } from './isolate.ts'
import { layout } from './layout.ts'
import type { DoneView } from './views.ts'

/** The last page of the owner's set-up, as a whole HTML document. */
export function donePage(view: DoneView): string {
  return layout({
    title: 'Done',
    body: html`<p class="done">${checkIcon}</p>
<h1>${isolate(view.title, 120)}</h1>
<p class="lead">${isolate(view.says, 400)}</p>
<h2>What to do now</h2>
<p>${isolate(view.next, 400)}</p>`,
  })
}
