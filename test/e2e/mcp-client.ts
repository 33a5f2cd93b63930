import { randomUUID } from 'node:crypto'
import {
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import type { CallbackListener } from './callback-listener.ts'

/** Takes an authorization URL to a browser and comes back when the person is done. */
export type OpenBrowser = (url: string) => Promise<void>

/** What a real MCP host keeps for one server. */
export interface McpClient {
  readonly provider: OAuthClientProvider
  tokens(): StoredOAuthTokens | undefined
  /** Authorization URLs that the browser was sent to, in order. */
  readonly visited: readonly URL[]
  /** Connects, signing in as often as the server asks for it. */
  connect(): Promise<Client>
  /** Does something that may need a wider consent, and does it again after that. */
  withStepUp<T>(work: (client: Client) => Promise<T>): Promise<T>
  /** Replaces the stored tokens, as if they had been lost or had aged. */
  setTokens(tokens: StoredOAuthTokens): void
}

/** The official SDK's client, with its own OAuth flow and everything in memory. */
export function createMcpClient(options: {
  readonly endpoint: string
  readonly callback: CallbackListener
  readonly openBrowser: OpenBrowser
  readonly clientMetadataUrl?: string
  readonly mode?: 'auto' | 'legacy'
}): McpClient {
  const { endpoint, callback, openBrowser } = options
  let information: StoredOAuthClientInformation | undefined
  let tokens: StoredOAuthTokens | undefined
  let verifier = ''
  let discovery: OAuthDiscoveryState | undefined
  let state = ''
  const visited: URL[] = []

  const provider: OAuthClientProvider = {
    redirectUrl: callback.url,
    ...(options.clientMetadataUrl === undefined ? {} : { clientMetadataUrl: options.clientMetadataUrl }),
    clientMetadata: {
      client_name: 'End to end',
      redirect_uris: [callback.url],
      grant_types: ['authorization_code', 'refresh_token'],
    },
    state: () => {
      state = randomUUID()
      return state
    },
    clientInformation: () => information,
    saveClientInformation(given) {
      information = given
    },
    tokens: () => tokens,
    saveTokens(given) {
      tokens = given
    },
    redirectToAuthorization: (url) => void visited.push(url),
    saveCodeVerifier(given) {
      verifier = given
    },
    codeVerifier: () => verifier,
    saveDiscoveryState(given) {
      discovery = given
    },
    discoveryState: () => discovery,
  }

  const finish = async (transport: StreamableHTTPClientTransport): Promise<void> => {
    await openBrowser(String(visited.at(-1)))
    const { params } = await callback.next()
    if (params.get('state') !== state) throw new Error('the state came back changed')
    await transport.finishAuth(params)
  }

  let current: { client: Client; transport: StreamableHTTPClientTransport } | undefined

  const connect = async (): Promise<Client> => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const transport = new StreamableHTTPClientTransport(new URL(endpoint), { authProvider: provider })
      const client = new Client(
        { name: 'e2e', version: '1' },
        { versionNegotiation: { mode: options.mode ?? 'auto' } },
      )
      try {
        await client.connect(transport)
        current = { client, transport }
        return client
      } catch (error) {
        if (!(error instanceof UnauthorizedError)) throw error
        await finish(transport)
      }
    }
    throw new Error('signed in, and still not let in')
  }

  return {
    provider,
    tokens: () => tokens,
    visited,
    connect,
    async withStepUp(work) {
      if (current === undefined) throw new Error('connect first')
      const { client, transport } = current
      try {
        return await work(client)
      } catch (error) {
        if (!(error instanceof UnauthorizedError)) throw error
        await finish(transport)
        return work(client)
      }
    },
    setTokens(given) {
      tokens = given
    },
  }
}
