import { isSecretValue, looksSecret } from '@warder/host-config'
import { plain } from '../output.ts'

const hidden = '[hidden]'

/** A URL in its parts, as a URL parser divides it; put together again they are the same text. */
export interface CutUrl {
  /** The scheme and what goes before the host: `https://`. */
  readonly start: string
  /** User information, if there is any. */
  readonly user: string | undefined
  /** With its port. */
  readonly host: string
  readonly path: string
  /** Without the question mark. */
  readonly query: string | undefined
  readonly fragment: string | undefined
}

/** For these a backslash is a slash. */
const special = /^(?:https?|wss?|ftp):/i
/** A variable may stand for the scheme, as it is written or with its mark. */
const shape =
  /^([a-z][a-z0-9+.-]*:|(?:\$\{[^{}]*\}|\ue000\d+[=-]\ue001):(?=\/\/))?(\/*)([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is
const specialShape = /^([a-z]+:)([\\/]*)([^\\/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is

/**
 * Cuts any text, also one that is no URL before its variables are put in. The user information ends at the last `@` before the
 * host, not at the first: a password may have one.
 */
export function cutUrl(url: string): CutUrl {
  const text = url.trim()
  const parts = (special.test(text) ? specialShape : shape).exec(text) ?? []
  const [, scheme = '', slashes = '', authority = '', path = '', query, fragment] = parts
  const at = authority.lastIndexOf('@')
  return {
    start: scheme + slashes,
    user: at === -1 ? undefined : authority.slice(0, at),
    host: authority.slice(at + 1),
    path,
    query,
    fragment,
  }
}

/**
 * A URL for eyes. Which host it leads to may be seen, and so may its variables; user information, values in the query, the fragment
 * and what looks like a secret in the path may not.
 */
export function showUrl(url: string): string {
  const { text, putBack } = setVariablesAside(plain(url))
  const { start, user, host, path, query, fragment } = cutUrl(text)
  const shown = [
    start,
    user === undefined ? '' : `${hidden}@`,
    host,
    hideInPath(path, hidden),
    query === undefined ? '' : `?${query.split('&').map(showField).join('&')}`,
    fragment === undefined || fragment === '' ? '' : `#${hidden}`,
  ]
  return putBack(shown.join(''))
}

/** A URL for somebody else: without user information, query and fragment, and without what looks like a secret in the path. */
export function bareUrl(url: string): string {
  const { start, host, path } = cutUrl(plain(url))
  return start + host + hideInPath(path, '…')
}

function hideInPath(path: string, instead: string): string {
  return path
    .split(/([\\/])/)
    .map((part) => (isSecretPart(part) ? instead : part))
    .join('')
}

function isSecretPart(part: string): boolean {
  const written = part.replace(aside, '')
  const decoded = written.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return isSecretValue(written) || isSecretValue(decoded)
}

/** A field without a name may be the secret itself. */
function showField(field: string): string {
  const value = field.slice(field.indexOf('=') + 1)
  if (value === '' || isPlainVariable(value)) return field
  const name = field.slice(0, field.length - value.length)
  return isSecretPart(name) ? hidden : name + hidden
}

/** As hosts write them: a variable may hold whatever divides a URL, so a mark stands for it while the rest is cut. */
const variable = /\$\{((?:(?:env|input):)?[\w.-]+)(?::-([^{}]*))?\}/g
const aside = /\ue000\d+[=-]\ue001/g
const isPlainVariable = (value: string): boolean => /^\ue000\d+-\ue001$/.test(value)

function setVariablesAside(url: string): {
  readonly text: string
  readonly putBack: (shown: string) => string
} {
  const shownAs: string[] = []
  const text = url
    .replace(/[\ue000\ue001]/g, '')
    .replace(variable, (whole: string, name: string, fallback: string | undefined) => {
      shownAs.push(fallback === undefined ? whole : `\${${name}:-${showFallback(name, fallback)}}`)
      return `\ue000${shownAs.length - 1}${fallback === undefined ? '-' : '='}\ue001`
    })
  return {
    text,
    putBack: (shown) => shown.replace(aside, (mark) => shownAs[Number.parseInt(mark.slice(1), 10)] ?? ''),
  }
}

function showFallback(name: string, fallback: string): string {
  if (looksSecret(name, fallback)) return hidden
  return /[@?#]|:\/\//.test(fallback) ? showUrl(fallback) : fallback
}
