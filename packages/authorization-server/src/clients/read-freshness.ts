/** What an answer's headers say about keeping it, for a cache that several users share (RFC 9111). */
export interface Freshness {
  /** Whether it may be kept at all. */
  readonly storable: boolean
  /** Milliseconds for which it needs no revalidation; 0 when it always does. */
  readonly freshMs: number
}

const capMs = 24 * 3_600_000

/**
 * Reads `Cache-Control`, `Expires`, `Age` and `Vary`. Freshness is never guessed: without a lifetime it is 0, and it is never more
 * than 24 hours, whatever the other side says. `no-store`, `private` and `Vary: *` are not kept.
 */
export function readFreshness(headers: Headers): Freshness {
  const directives = readDirectives(headers.get('cache-control') ?? '')
  const varies = (headers.get('vary') ?? '').split(',').some((name) => name.trim() === '*')
  if (directives.has('no-store') || directives.has('private') || varies)
    return { storable: false, freshMs: 0 }
  if (directives.has('no-cache')) return { storable: true, freshMs: 0 }
  const lifetime =
    readSeconds(directives.get('s-maxage')) ?? readSeconds(directives.get('max-age')) ?? readExpires(headers)
  const age = readSeconds(headers.get('age') ?? undefined) ?? 0
  return { storable: true, freshMs: Math.min(capMs, Math.max(0, lifetime - age) * 1000) }
}

function readDirectives(header: string): ReadonlyMap<string, string> {
  const directives = new Map<string, string>()
  for (const part of header.split(',')) {
    const [name = '', value = ''] = part.split('=', 2)
    const key = name.trim().toLowerCase()
    // Of a directive that stands there twice, the first counts, as RFC 9111 section 4.2.1 allows.
    if (key !== '' && !directives.has(key)) directives.set(key, value.trim().replaceAll('"', ''))
  }
  return directives
}

function readSeconds(raw: string | undefined): number | undefined {
  if (raw === undefined) return undefined
  return /^[0-9]{1,12}$/.test(raw) ? Number(raw) : 0
}

function readExpires(headers: Headers): number {
  const expires = Date.parse(headers.get('expires') ?? '')
  const date = Date.parse(headers.get('date') ?? '')
  return Number.isNaN(expires) || Number.isNaN(date) ? 0 : Math.max(0, expires - date) / 1000
}
