import { createHash } from 'node:crypto'

/** What the browser shows where a sign-in begins or ends. Every text is fixed: nothing of a request is ever repeated. */
export type CallbackPage = 'received' | 'unfinished' | 'unknown' | 'used'

const look = 'Look at your terminal, or at the log of your MCP client.'

const texts: Readonly<Record<CallbackPage, readonly [status: number, title: string, says: string]>> = {
  received: [200, 'You can close this tab', 'The answer has arrived. Go back to where you began.'],
  unfinished: [200, 'Something went wrong', `The sign-in did not come to its end. ${look}`],
  unknown: [404, 'Something went wrong', `Nothing here waits for this. ${look}`],
  used: [410, 'This link works only once', `It has been opened before. ${look}`],
}

const style =
  ':root{color-scheme:light dark}body{margin:0;min-height:100vh;display:grid;place-content:center;text-align:center;' +
  'font:1.125rem/1.5 system-ui,sans-serif}h1{font-size:1.5rem;margin:0 0 .5rem}p{margin:0;padding:0 1rem}'
const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`

/** Of every answer of the listener: not cached, not framed, no referrer, no script, nothing from elsewhere. */
export const callbackHeaders: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': `default-src 'none'; style-src ${styleHash}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  Connection: 'close',
}

/** Status and HTML of a page. */
export function callbackPage(page: CallbackPage): { readonly status: number; readonly html: string } {
  const [status, title, says] = texts[page]
  return {
    status,
    html: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title><meta name="viewport" content="width=device-width"><style>${style}</style></head>
<body><main><h1>${title}</h1><p>${says}</p></main></body>
</html>
`,
  }
}
