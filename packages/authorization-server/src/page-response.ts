import { pageStyleHash } from './pages/index.ts'

/** Headers of every page, errors included. */
export interface PageOptions {
  readonly status?: number
  /** The redirect URI that a form of this page may end at; browsers apply `form-action` to redirects too. */
  readonly endsAt?: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Answers with a page: not cached, not framed, no script, nothing from elsewhere, and forms that go nowhere but to us and to
 * the redirect URI of the request.
 */
export function pageResponse(
  html: string,
  { status = 200, endsAt, headers = {} }: PageOptions = {},
): Response {
  const formAction = endsAt === undefined ? "'self'" : `'self' ${formTarget(endsAt)}`
  return new Response(html, {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': [
        "default-src 'none'",
        `style-src ${pageStyleHash}`,
        `form-action ${formAction}`,
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ].join('; '),
      'X-Frame-Options': 'DENY',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      // Not `no-referrer`: with it Chromium sends `Origin: null` with our own forms, which we refuse.
      'Referrer-Policy': 'same-origin',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
      ...headers,
    },
  })
}

/** Answers 303 See Other: the browser goes there with GET, whatever it sent, so that no credentials are posted again. */
export function seeOther(location: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, {
    status: 303,
    headers: {
      Location: location,
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
  })
}

/**
 * What `form-action` must name for a redirect URI. Where a CSP source cannot name the host (IPv6, or characters that have a
 * meaning in the header), the whole scheme stands instead: wider, but the redirect itself is checked by then.
 */
function formTarget(uri: string): string {
  const [origin] = /^https?:\/\/[A-Za-z0-9.-]+(?::[0-9]+)?(?=[/?]|$)/.exec(uri) ?? []
  if (origin !== undefined) return origin
  const [scheme] = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(uri) ?? []
  return scheme ?? "'none'"
}
