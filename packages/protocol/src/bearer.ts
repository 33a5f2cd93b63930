import { Refusal } from './refusals.ts'

const bearer = /^bearer /i
const tokenText = /^[A-Za-z0-9._~+/-]+=*$/
const maxLength = 16_384

/**
 * The access token of a request (RFC 6750 section 2.1), from the distinct raw values of `Authorization` and the raw query
 * string without its `?`.
 *
 * No header, or another scheme: `token.missing`. Anything but `Bearer`, one space and a token: `token.malformed`; only the case
 * of the scheme is free. Two headers, or an `access_token` in the query, whatever the header says: `token.two-places`. The token
 * itself is not looked into, and form bodies and cookies are not looked at: they never count.
 */
export function readBearer(authorization: readonly string[], query = ''): string {
  if (namesAccessToken(query)) throw new Refusal('token.two-places', { detail: 'query' })
  if (authorization.length > 1) throw new Refusal('token.two-places', { detail: 'two headers' })
  const value = authorization[0] ?? ''
  if (!/^bearer/i.test(value)) throw new Refusal('token.missing')
  const token = bearer.test(value) ? value.slice('bearer '.length) : ''
  if (token.length > maxLength || !tokenText.test(token))
    throw new Refusal('token.malformed', { detail: 'header' })
  return token
}

/** By the widest reading: any framework behind us might decode the name, or split at `;` as well. */
function namesAccessToken(query: string): boolean {
  if (query === '') return false
  return query.split(/[&;?]/).some((pair) => {
    const name = (pair.split('=', 1)[0] ?? '').replaceAll('+', ' ')
    const decoded = name.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    return decoded.trim().toLowerCase() === 'access_token'
  })
}
