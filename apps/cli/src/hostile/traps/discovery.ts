import { count } from '../sighting.ts'
import type { Trap } from '../trap.ts'

const registered = 'it went on: it registered, or opened the authorization page'

type Fell = Trap['fell']

/** Nothing may follow the document: no registration, no browser. */
const wentOn: Fell = (seen) =>
  count(seen, 'register') + count(seen, 'authorize') + count(seen, 'token') > 0 ? registered : undefined

const openedPage: Fell = (seen) =>
  count(seen, 'authorize') > 0 ? 'it opened the authorization page' : undefined

const followed: Fell = (seen) =>
  count(seen, 'bait') > 0
    ? 'it followed to another address'
    : wentOn(seen, { base: '', other: '', resource: '' })

/** A page that must not be opened; all that can be seen from here is that nothing else follows. */
const badPage = (name: string, url: string): Trap => ({
  name,
  number: 'Q01',
  tries: `sends the browser to ${url}`,
  safe: 'opens nothing (look at your screen: this server cannot see what a browser did)',
  tricks: {
    serverMetadata: (honest) => ({ body: { ...honest, authorization_endpoint: url } }),
  },
  fell: (seen) => (count(seen, 'token') > 0 ? 'it went on to the token endpoint' : undefined),
})

export const discovery: readonly Trap[] = [
  {
    name: 'issuer-differs',
    number: 'Q03',
    tries: 'metadata that names another issuer',
    safe: 'uses nothing of it',
    tricks: { serverMetadata: (honest, { other }) => ({ body: { ...honest, issuer: other } }) },
    fell: wentOn,
  },
  {
    name: 'issuer-slash',
    number: 'Q03',
    tries: 'metadata whose issuer differs by a slash',
    safe: 'uses nothing of it',
    tricks: { serverMetadata: (honest, { base }) => ({ body: { ...honest, issuer: `${base}/` } }) },
    fell: wentOn,
  },
  {
    name: 'other-resource',
    number: 'Q05',
    tries: 'metadata of a resource on another origin',
    safe: 'asks nobody for a token',
    tricks: {
      resourceMetadata: (honest, { other }) => ({ body: { ...honest, resource: `${other}/mcp` } }),
    },
    fell: wentOn,
  },
  {
    name: 'sibling-resource',
    number: 'Q05',
    tries: 'metadata of a neighbour on the same origin',
    safe: 'asks nobody for a token',
    tricks: {
      resourceMetadata: (honest, { base }) => ({ body: { ...honest, resource: `${base}/neighbour` } }),
    },
    fell: wentOn,
  },
  {
    name: 'metadata-redirects',
    number: 'Q06',
    tries: 'metadata behind a redirect to another origin',
    safe: 'does not follow',
    tricks: {
      resourceMetadata: (_, { other }) => ({ status: 302, headers: { location: `${other}/bait` } }),
    },
    fell: followed,
  },
  {
    name: 'metadata-elsewhere',
    number: 'Q06',
    tries: 'metadata on another origin',
    safe: 'does not fetch it, or does not use it',
    tricks: {
      challenge: (honest, { other }) => ({ ...honest, resourceMetadata: `${other}/bait` }),
    },
    fell: (seen) => (count(seen, 'authorize', 'other') > 0 ? 'it signed in at the other origin' : undefined),
  },
  {
    name: 'metadata-huge',
    number: 'Q06',
    tries: 'metadata of ten million bytes',
    safe: 'stops reading',
    tricks: {
      resourceMetadata: (honest) => ({ body: { ...honest, filler: 'x'.repeat(10_000_000) } }),
    },
    fell: wentOn,
  },
  {
    name: 'metadata-endless',
    number: 'Q06',
    tries: 'metadata that never ends',
    safe: 'gives up after some seconds',
    tricks: { resourceMetadata: () => ({ isEndless: true }) },
    fell: wentOn,
  },
  {
    name: 'no-pkce',
    number: 'Q07',
    tries: 'metadata that does not announce PKCE',
    safe: 'refuses to go on',
    tricks: {
      serverMetadata: (honest) => ({ body: { ...honest, code_challenge_methods_supported: undefined } }),
    },
    fell: openedPage,
  },
  {
    name: 'plain-pkce',
    number: 'Q07',
    tries: 'metadata that announces only the method plain',
    safe: 'refuses to go on',
    tricks: {
      serverMetadata: (honest) => ({ body: { ...honest, code_challenge_methods_supported: ['plain'] } }),
    },
    fell: openedPage,
  },
  badPage('page-javascript', 'javascript:alert(1)'),
  badPage('page-file', 'file:///etc/passwd'),
  badPage('page-program', 'calculator:open'),
  badPage('page-plain-http', 'http://warder.example/authorize'),
]
