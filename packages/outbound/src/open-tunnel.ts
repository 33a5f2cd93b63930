import { type ClientRequest, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { Refusal } from '@warder/protocol'
import { bareHost } from './check-url.ts'
import type { Network } from './network.ts'

/**
 * Asks a proxy for a connection to a host (CONNECT, RFC 9110 section 9.3.6): what goes through is TLS with that host, so the
 * proxy learns its name and port, and neither tokens nor URLs (Q29). The password of the proxy goes to the proxy alone.
 *
 * Throws `outbound.unreachable`, whose detail has the status of the proxy and none of its words.
 */
export async function openTunnel(
  proxy: URL,
  url: URL,
  network: Network,
  signal: AbortSignal,
): Promise<Socket> {
  const authority = `${url.hostname}:${url.port || 443}`
  const request = connectRequest(proxy, authority, network, signal)
  return await new Promise<Socket>((resolve, reject) => {
    const refuse = (why: string): void =>
      reject(
        new Refusal('outbound.unreachable', { detail: `${url.host} by the proxy ${proxy.host}: ${why}` }),
      )
    request.on('connect', ({ statusCode = 0 }, socket, head) => {
      if (statusCode < 200 || statusCode > 299) refuse(`status ${statusCode}`)
      // In TLS the client speaks first: these bytes are not the host's.
      else if (head.length > 0) refuse('bytes before the first of ours')
      else return resolve(socket as Socket)
      socket.destroy()
    })
    request.on('error', (error: NodeJS.ErrnoException) => refuse(error.code ?? error.name))
    request.end()
  })
}

function connectRequest(proxy: URL, path: string, network: Network, signal: AbortSignal): ClientRequest {
  const common = {
    host: bareHost(proxy.hostname),
    port: proxy.port,
    method: 'CONNECT',
    path,
    agent: false,
    signal,
    headers: { host: path, ...proxyAuthorization(proxy) },
  }
  if (proxy.protocol === 'http:') return requestHttp(common)
  return requestHttps({
    ...common,
    rejectUnauthorized: true,
    // By default it would be the name in Host: that of the host behind the proxy.
    servername: isIP(common.host) === 0 ? common.host : '',
    ...(network.ca && { ca: [...network.ca] }),
    ...network.certificate,
  })
}

/** RFC 7617, for a proxy whose URL has a user. */
export function proxyAuthorization(proxy: URL): Readonly<Record<string, string>> {
  if (proxy.username === '' && proxy.password === '') return {}
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}
