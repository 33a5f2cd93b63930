import { isSecretValue, looksSecret } from '@warder/host-config'
import { plain } from '../output.ts'

const hidden = '[hidden]'

/**
 * The word that names a server, as a command to copy may have it: what looks like a credential in the query of an address is hidden, and
 * for the reader to put in again; the rest has to stay, or the command would mean another server.
 */
export function showWord(word: string): string {
  const at = word.indexOf('?')
  if (at === -1) return plain(word)
  const fields = word
    .slice(at + 1)
    .split('&')
    .map(showField)
  return plain(`${word.slice(0, at)}?${fields.join('&')}`)
}

function showField(field: string): string {
  const equals = field.indexOf('=')
  if (equals === -1) return isSecretValue(field) ? hidden : field
  const name = field.slice(0, equals)
  return looksSecret(name, field.slice(equals + 1)) ? `${name}=${hidden}` : field
}
