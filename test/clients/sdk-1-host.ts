import { randomUUID } from 'node:crypto'
import { type OAuthClientProvider, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'

type Sent = Parameters<StreamableHTTPClientTransport['send']>[0]

/** Takes an authorization URL to a person and comes back with the parameters of the answer. */
export type Authorize = (url: URL) => Promise<URLSearchParams>

/** An MCP host built on version 1 of the official SDK, as most hosts in use are. */
export interface Sdk1Host {
  /** Authorization URLs that the person was sent to, in order. */
  readonly visited: readonly URL[]
  clientId(): string
  tokens(): OAuthTokens | undefined
  setTokens(tokens: OAuthTokens): void
  /** The revision that was negotiated. */
  revision(): string | undefined
  /** Connects, signing in when the server asks for it. */
  connect(): Promise<Client>
  /** Does something; signs in again and repeats it when the server wants that. */
  withSignIn<T>(work: (client: Client) => Promise<T>): Promise<T>
  /**
   * Connects again without the refresh token. This SDK answers a 403 by a refresh, which cannot widen anything, and reports the
   * second 403: a host that wants wider scopes has to put the refresh token aside.
   */
  startOver(): Promise<Client>
  /** A request in the session of this moment, sent past the SDK each time it is called; answers the status. */
  knock(): () => Promise<number>
  /** Ends the session, as a host does when it closes. */
  leave(): Promise<void>
}

/** Everything is kept in memory; `revision` is what the host offers instead of the SDK's newest. */
export function createSdk1Host(options: {
  readonly endpoint: string
  readonly redirectUrl: string
  readonly authorize: Authorize
  readonly revision?: string
}): Sdk1Host {
  let information: OAuthClientInformationMixed | undefined
  let tokens: OAuthTokens | undefined
  let verifier = ''
  let state = ''
  let current: { client: Client; transport: StreamableHTTPClientTransport } | undefined
  const visited: URL[] = []

  const provider: OAuthClientProvider = {
    redirectUrl: options.redirectUrl,
    clientMetadata: {
      client_name: 'Version 1',
      redirect_uris: [options.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    state() {
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
    invalidateCredentials(scope) {
      if (scope !== 'verifier') tokens = undefined
    },
    redirectToAuthorization: (url) => void visited.push(url),
    saveCodeVerifier(given) {
      verifier = given
    },
    codeVerifier: () => verifier,
  }

  const signIn = async (transport: StreamableHTTPClientTransport): Promise<void> => {
    const answer = await options.authorize(visited.at(-1)!)
    if (answer.get('state') !== state) throw new Error('the state came back changed')
    await transport.finishAuth(answer.get('code') ?? '')
  }

  const connect = async (): Promise<Client> => {
    for (let attempt = 0; attempt < 2; attempt++) {
      const transport = new StreamableHTTPClientTransport(new URL(options.endpoint), {
        authProvider: provider,
      })
      if (options.revision !== undefined) offerRevision(transport, options.revision)
      const client = new Client({ name: 'host', version: '1' })
      try {
        await client.connect(transport as Transport)
        current = { client, transport }
        return client
      } catch (error) {
        if (!(error instanceof UnauthorizedError)) throw error
        await signIn(transport)
      }
    }
    throw new Error('signed in, and still not let in')
  }

  return {
    visited,
    clientId: () => information?.client_id ?? '',
    tokens: () => tokens,
    setTokens(given) {
      tokens = given
    },
    revision: () => current?.transport.protocolVersion,
    connect,
    async withSignIn(work) {
      if (current === undefined) throw new Error('connect first')
      try {
        return await work(current.client)
      } catch (error) {
        if (!(error instanceof UnauthorizedError)) throw error
        await signIn(current.transport)
        return work(current.client)
      }
    },
    async startOver() {
      const { refresh_token: _, ...rest } = tokens!
      tokens = rest
      await current?.client.close()
      return connect()
    },
    knock() {
      const headers = {
        authorization: `Bearer ${tokens?.access_token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': current?.transport.protocolVersion ?? '',
        'mcp-session-id': current?.transport.sessionId ?? '',
      }
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
      return async () => (await fetch(options.endpoint, { method: 'POST', headers, body })).status
    },
    async leave() {
      await current?.transport.terminateSession()
      await current?.client.close()
    },
  }
}

/** The SDK always offers its newest revision; an older host is the same bytes with another one in them. */
function offerRevision(transport: StreamableHTTPClientTransport, revision: string): void {
  const send = transport.send.bind(transport)
  const withRevision = (message: Sent): Sent =>
    'method' in message && message.method === 'initialize'
      ? { ...message, params: { ...message.params, protocolVersion: revision } }
      : message
  transport.send = (message, sendOptions) => send(withRevision(message), sendOptions)
}
