import { loadPeer } from '../../peers/peer.ts'
import { startOidcProvider } from '../../peers/start-oidc-provider.ts'
import { openBrowser } from '../../protect/scripted-sign-in.ts'
import type { Target } from '../target.ts'

const resource = 'https://mcp.example/notes'

/** oidc-provider, set up as near to MCP as its options go (see `test/peers`), with a person who says yes to everything. */
export async function startOidcProviderTarget(): Promise<Target> {
  const provider = await startOidcProvider(() => [resource, `${resource}/other`], ['notes:read'])
  const approve = async (url: string) => openBrowser(provider.issuer).get(url)
  const { metadata } = await loadPeer({ issuer: provider.issuer, resource, scope: 'notes:read', approve })
  return {
    name: 'oidc-provider',
    has: new Set([
      'authorization server',
      'resource indicators',
      'two resources',
      'registration',
      'revocation',
    ]),
    values: {
      issuer: provider.issuer,
      authorization_endpoint: String(metadata['authorization_endpoint']),
      token_endpoint: String(metadata['token_endpoint']),
      revocation_endpoint: String(metadata['revocation_endpoint']),
      registration_endpoint: String(metadata['registration_endpoint']),
      scope: 'notes:read',
      resource,
      otherResource: `${resource}/other`,
    },
    approve: async (url) => (await approve(url)).url,
    stop: provider.stop,
  }
}
