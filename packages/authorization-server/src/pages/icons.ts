import { html } from 'hono/html'
import type { Markup } from './markup.ts'

/** Drawn here, since the content security policy allows no image. Each stands beside a text that says the same. */
export const towerIcon: Markup = html`<svg class="tower" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" focusable="false"><path fill="currentColor" fill-rule="evenodd" d="M4 2h4v3h2V2h4v3h2V2h4v7l-2.5 2v8H20v3H4v-3h2.5v-8L4 9zm8 10a2 2 0 0 0-2 2v5h4v-5a2 2 0 0 0-2-2z"/></svg>`

/** A triangle with an exclamation mark. */
export const warningIcon: Markup = html`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false"><path fill="currentColor" fill-rule="evenodd" d="M8 1.2c.5 0 .9.26 1.15.68l6 10.4c.5.88-.13 1.97-1.15 1.97H2c-1.02 0-1.65-1.09-1.15-1.97l6-10.4C7.1 1.46 7.5 1.2 8 1.2zM7.1 5.5l.25 4.25h1.3L8.9 5.5zM8 10.7a.95.95 0 1 0 0 1.9.95.95 0 0 0 0-1.9z"/></svg>`

/** A check mark in a disc. */
export const checkIcon: Markup = html`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false"><path fill="currentColor" fill-rule="evenodd" d="M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zm3.3 4.3L7 9.6 4.9 7.5 3.8 8.6 7 11.8l5.4-5.4z"/></svg>`
