import type { html } from 'hono/html'

/** HTML made by the `html` template, which escapes every value that it did not make itself. */
export type Markup = ReturnType<typeof html>
