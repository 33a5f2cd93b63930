import type { ServerOptions } from 'node:http'

/**
 * What `http.createServer` needs so that slow and oversized requests do not hold the gateway up (L26, L31): milliseconds and
 * bytes. The number of headers is the gateway's own check, since Node silently drops those over its limit.
 */
export const gatewayServerOptions: ServerOptions = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 65_000,
  requireHostHeader: true,
  insecureHTTPParser: false,
  joinDuplicateHeaders: false,
  noDelay: true,
}
