import type { Answer } from './message.ts'
import { pageStyleHash } from './pages/index.ts'

/** Headers of every page, errors included. */
export interface PageOptions {
  readonly status?: number
  /** Whether a form of this page may end at an application, and wherever that leads: docs/decisions/0001. */
  readonly endsElsewhere?: boolean
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Answers with a page: not cached, not framed, no script, nothing from elsewhere, and forms that go nowhere but to us, unless
 * they end at an application.
 */
export function pageResponse(
  html: string,
  { status = 200, endsElsewhere = false, headers = {} }: PageOptions = {},
): Answer {
  return {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': [
        "default-src 'none'",
        `style-src ${pageStyleHash}`,
        // Chromium holds every redirect after a form against it, those of the application too, and we do not know those.
        ...(endsElsewhere ? [] : ["form-action 'self'"]),
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
    body: html,
  }
}

/** Answers 303 See Other: the browser goes there with GET, whatever it sent, so that no credentials are posted again. */
export function seeOther(location: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status: 303,
    headers: {
      Location: location,
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
    body: null,
  }
}
