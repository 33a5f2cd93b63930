import { isSecretValue, looksSecret } from './looks-secret.ts'

/** Whether a word is a URL or begins with one. Parsers take an address of the web without slashes too. */
export function beginsWithUrl(word: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|(?:https?|wss?):)/i.test(word)
}

/**
 * Whether a URL carries a credential: user information, or what looks like a secret in its path, query or
 * fragment. Also for a text that is no URL once its variables are taken out.
 */
export function hasSecretInUrl(url: string): boolean {
  const text = url.replace(/[\t\r\n]/g, '').trim()
  const shape = /^(?:https?|wss?|ftp):/i.test(text) ? webAddress : address
  const [, scheme, place = '', path = '', query = '', fragment = ''] = shape.exec(text) ?? []
  return (
    (scheme === undefined && isSecretValue(text)) ||
    hasUserInformation(scheme ?? '', place, text) ||
    isSecretValue(decodeBytes(path)) ||
    hasSecretField(query) ||
    hasSecretField(fragment)
  )
}

const address = /^(?:([a-z0-9+.-]*):)?(?:\/\/)?([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is
/** Here a backslash is a slash, and any number of them is enough. */
const webAddress = /^([a-z]+):[\\/]*([^\\/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is

/** Where a user name is an account and no secret; elsewhere services take tokens for one. */
const accountSchemes =
  /^(?:(?:\w+\+)?s(?:sh|ftp)|postgres(?:ql)?|mysql|mariadb|sqlserver|mongodb(?:\+srv)?|rediss?|amqps?)$/i

function hasUserInformation(scheme: string, authority: string, url: string): boolean {
  const at = authority.lastIndexOf('@')
  // A password that has a slash in it ends the authority too early: what stands for a port is no number then.
  if (at === -1) return /:(?!\d*$)[^\]]*$/.test(authority) && url.includes('@')
  const [, user = '', password = ''] = /^([^:]*)(?::(.*))?$/s.exec(authority.slice(0, at)) ?? []
  return password !== '' || (accountSchemes.test(scheme) ? isSecretValue(user) : user !== '')
}

/** A field without a name may be the secret itself; a plus sign in a token is no blank. */
function hasSecretField(fields: string): boolean {
  return (
    fields.split('&').some(isSecretValue) ||
    [...new URLSearchParams(fields)].some(([name, value]) => looksSecret(name, value))
  )
}

function decodeBytes(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
