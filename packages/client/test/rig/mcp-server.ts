import { type Answer, type HttpServer, type Seen, startHttpServer } from './http-server.ts'

/** What one test changes about an honest MCP server. */
export interface McpServerOptions {
  /** Access tokens that are good, with their scopes. */
  readonly tokens: () => ReadonlyMap<string, readonly string[]>
  readonly issuers: () => readonly string[]
  /** Changes members of the resource metadata. */
  readonly metadata?: ((origin: string) => Readonly<Record<string, unknown>>) | undefined
  /** Where the resource metadata stands; null: nowhere. Default: the path-inserted place. */
  readonly metadataPath?: string | null | undefined
  /** Values of WWW-Authenticate with a 401. Default: one Bearer challenge that names the metadata. */
  readonly challenge?: ((origin: string) => readonly string[]) | undefined
  /** Scopes that a request needs. */
  readonly needs?: ((request: Seen) => readonly string[]) | undefined
}

/** A protected server at `/mcp`: what it answers to a good token is the token's scopes. */
export async function startMcpServer(
  options: McpServerOptions,
): Promise<HttpServer & { readonly url: string }> {
  const metadataPath =
    options.metadataPath === undefined ? '/.well-known/oauth-protected-resource/mcp' : options.metadataPath

  const refuse = (status: number, challenges: readonly string[]): Answer => ({
    status,
    headers: { 'www-authenticate': challenges },
    body: { error: 'refused' },
  })

  const server = await startHttpServer((request) => {
    if (request.path === metadataPath) {
      const about = { resource: `${server.origin}/mcp`, authorization_servers: options.issuers() }
      return { body: { ...about, ...options.metadata?.(server.origin) } }
    }
    if (!request.path.startsWith('/mcp')) return { status: 404 }
    const announced = `resource_metadata="${server.origin}${metadataPath}"`
    const token = /^Bearer (.+)$/.exec(String(request.headers['authorization'] ?? ''))?.[1]
    const scopes = token === undefined ? undefined : options.tokens().get(token)
    if (scopes === undefined) {
      return refuse(401, options.challenge?.(server.origin) ?? [`Bearer ${announced}`])
    }
    const needed = options.needs?.(request) ?? []
    if (!needed.every((scope) => scopes.includes(scope))) {
      return refuse(403, [`Bearer error="insufficient_scope", scope="${needed.join(' ')}", ${announced}`])
    }
    return { body: { scopes } }
  })
  return { ...server, url: `${server.origin}/mcp` }
}
