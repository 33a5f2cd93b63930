import { isIP } from 'node:net'
import { isLoopbackHost } from '@warder/protocol'
import ipaddr from 'ipaddr.js'
import { bareHost } from './check-url.ts'

/** URLs of proxies by the scheme of what is asked for, and the hosts for which there is none, as in NO_PROXY. */
export interface Proxies {
  readonly http?: string | undefined
  readonly https?: string | undefined
  readonly no?: string | undefined
}

/**
 * The proxy for a URL, if there is one. Never for this machine: from the proxy, loopback would be another one. The list of
 * exceptions has hosts (with what is below them), addresses, ranges of addresses, each with or without a port, or `*`.
 */
export function findProxy(url: URL, { http, https, no = '' }: Proxies = {}): URL | undefined {
  const given = url.protocol === 'https:' ? https : http
  if (given === undefined) return undefined
  const host = bareHost(url.hostname)
  if (isLoopbackHost(host)) return undefined
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const exceptions = no.toLowerCase().split(/[\s,]/)
  if (exceptions.some((entry) => entry !== '' && isCovered(entry, host, port))) return undefined
  const proxy = readProxyUrl(given)
  if (proxy === undefined) throw new TypeError('the proxy is not an http or https URL')
  return proxy
}

/** A proxy as variables name it: without a scheme it is http. Undefined for what we cannot speak to, such as SOCKS. */
export function readProxyUrl(text: string): URL | undefined {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(whole)) return undefined
  const url = new URL(whole)
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:'
  return isHttp && isDecodable(url.username + url.password) ? url : undefined
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function isCovered(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  const [, name = entry, ofPort] = /^(\[[^\]]*\]|[^:]*):([0-9]+)$/.exec(entry) ?? []
  if (ofPort !== undefined && ofPort !== port) return false
  const plain = bareHost(name).replace(/^\*?\./, '')
  if (host === plain) return true
  if (isIP(host) !== 0) return plain.includes('/') && isInRange(host, plain)
  return host.endsWith(`.${plain}`)
}

function isInRange(address: string, range: string): boolean {
  if (!ipaddr.isValidCIDR(range)) return false
  const [network, bits] = ipaddr.parseCIDR(range)
  const parsed = ipaddr.parse(address)
  return parsed.kind() === network.kind() && parsed.match(network, bits)
}
