import type { Host, OAuthPins, Transport } from '../server-config.ts'
import type { EntryReader } from './entry-reader.ts'

type Fields = { readonly oauth?: OAuthPins }

/**
 * The OAuth fields of an entry in the words of its host. A pin that cannot be read breaks the entry: without
 * it more is asked for.
 */
export function readOAuth(transport: Transport, host: Host, read: EntryReader): Fields {
  const key = host === 'cursor' ? 'auth' : 'oauth'
  const isThere = read.has(key) || (host === 'codex' && read.has('scopes'))
  if (!isThere || host === 'claude-desktop') return {}
  if (transport === 'stdio' || transport === 'ws') {
    read.warn('ignored-field', `${key} means nothing for a ${transport} server.`, read.placeOf(key))
    return {}
  }
  const pins = readers[host](read)
  return Object.keys(pins).length === 0 ? {} : { oauth: pins }
}

const readers: Readonly<Record<Exclude<Host, 'claude-desktop'>, (read: EntryReader) => OAuthPins>> = {
  warder: readClaudePins,
  'claude-code': readClaudePins,
  vscode(read) {
    return withClient(read.inner('oauth')?.text('clientId'))
  },
  cursor(read) {
    const auth = read.inner('auth')
    refuseSecret(auth, 'CLIENT_SECRET')
    return { ...withClient(auth?.text('CLIENT_ID')), ...withScopes(auth?.texts('scopes')) }
  },
  codex(read) {
    return { ...withClient(read.inner('oauth')?.text('client_id')), ...withScopes(read.texts('scopes')) }
  },
  gemini(read) {
    const oauth = read.inner('oauth')
    refuseSecret(oauth, 'clientSecret')
    return { ...withClient(oauth?.text('clientId')), ...withScopes(oauth?.texts('scopes')) }
  },
}

function readClaudePins(read: EntryReader): OAuthPins {
  const oauth = read.inner('oauth')
  if (oauth === undefined) return {}
  refuseSecret(oauth, 'clientSecret')
  const scopes = oauth.text('scopes')
  if (scopes?.includes(','))
    oauth.fail(
      'wrong-type',
      'oauth.scopes is one text with a blank between scopes, without commas.',
      oauth.placeOf('scopes'),
    )
  const callbackPort = oauth.number('callbackPort')
  if (
    callbackPort !== undefined &&
    !(Number.isInteger(callbackPort) && callbackPort > 0 && callbackPort < 65_536)
  )
    oauth.fail('wrong-type', 'oauth.callbackPort must be a port: 1 to 65535.', oauth.placeOf('callbackPort'))
  const metadataUrl = oauth.text('authServerMetadataUrl')
  if (metadataUrl !== undefined && URL.parse(metadataUrl)?.protocol !== 'https:')
    oauth.fail(
      'url',
      'oauth.authServerMetadataUrl must begin with https://.',
      oauth.placeOf('authServerMetadataUrl'),
    )
  return {
    ...withClient(oauth.text('clientId')),
    ...(callbackPort === undefined ? {} : { callbackPort }),
    ...withScopes(scopes?.split(/\s+/).filter((scope) => scope !== '')),
    ...(metadataUrl === undefined ? {} : { metadataUrl }),
  }
}

function withClient(clientId: string | undefined): OAuthPins {
  return clientId === undefined ? {} : { clientId }
}

function withScopes(scopes: readonly string[] | undefined): OAuthPins {
  return scopes === undefined ? {} : { scopes }
}

function refuseSecret(read: EntryReader | undefined, key: string): void {
  if (read?.has(key) !== true) return
  const message = `${key} does not belong into a file; Warder does not read it. Give it to warder login instead.`
  read.warn('ignored-field', message, read.placeOf(key))
}
