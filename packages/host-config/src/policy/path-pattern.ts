import { globMatches } from './glob.ts'

/**
 * Whether the path of a pattern covers that of a URL. A path may be written in several ways (`%6d` for `m`),
 * and servers decode it before or after they take steps upwards (`..%2f`). To deny, one way that matches is
 * enough. To allow, all must match, each the pattern as often decoded: `%20` of a pattern is one of the URL.
 */
export function matchesPath(
  pattern: string,
  { pathname, search }: Pick<URL, 'pathname' | 'search'>,
  purpose: 'allow' | 'deny',
): boolean {
  const [, path = '', fields = ''] = /^([^?]*)(.*)$/s.exec(pattern) ?? []
  const query = fields === '' ? '' : search
  const wanted = decodings(path, decodePattern).map((text) => normal(text, 'pattern') + fields)
  const rounds = decodings(pathname, decodeOnce).map((text, round) =>
    (round === 0 ? [text] : [text, withoutSteps(text)]).map((way) => normal(way, 'path') + query),
  )
  return purpose === 'deny'
    ? wanted.some((one) => rounds.flat().some((way) => globMatches(one, way)))
    : rounds.every((ways, round) => ways.every((way) => globMatches(wanted[round]!, way)))
}

/** A text as it stands, and decoded once, twice and three times. */
function decodings(text: string, decode: (text: string) => string): readonly string[] {
  const first = decode(text)
  const second = decode(first)
  return [text, first, second, decode(second)]
}

/** Decodes what is UTF-8, and leaves the rest: one escape that means nothing must not hide the others. */
function decodeOnce(path: string): string {
  return path.replace(escapes, (text) => {
    try {
      return decodeURIComponent(text)
    } catch {
      return text
    }
  })
}

const escapes =
  /%[0-7][0-9a-f]|%[cd][0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|%f[0-9a-f](?:%[89ab][0-9a-f]){3}/gi

/** A star that is written as an escape stays one: it stands for itself. */
function decodePattern(pattern: string): string {
  return pattern
    .split(/(%2a)/i)
    .map((part, at) => (at % 2 === 1 ? part : decodeOnce(part)))
    .join('')
}

/** A decoded text may hold steps upwards that were hidden before. */
function withoutSteps(path: string): string {
  return new URL(`http://host${path.replace(/[?#]/g, encodeURIComponent)}`).pathname
}

/** One way to write what means the same (RFC 3986 section 6.2.2), for patterns and paths alike. */
function normal(text: string, kind: 'pattern' | 'path'): string {
  const written = text
    .toWellFormed()
    .replace(/[^\w.~!$&'()*+,;=:@/%-]/gu, encodeURIComponent)
    .replace(/%[0-9a-f]{2}/gi, (one) => {
      const said = String.fromCharCode(Number.parseInt(one.slice(1), 16))
      return /[\w.~-]/.test(said) ? said : one.toUpperCase()
    })
  return kind === 'pattern' ? written : written.replaceAll('*', '%2A')
}
