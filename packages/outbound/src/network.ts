import { readFileSync } from 'node:fs'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { Proxies } from './find-proxy.ts'
import { readProxyUrl } from './find-proxy.ts'

/** What stands between this machine and others: proxies, and whom TLS trusts and presents. */
export interface Network {
  readonly proxies?: Proxies | undefined
  /** Certificates in PEM that TLS trusts, instead of those that Node trusts by default. */
  readonly ca?: readonly string[] | undefined
  /** Presented to every server that asks for one. */
  readonly certificate?: ClientCertificate | undefined
}

/** In PEM. */
export interface ClientCertificate {
  readonly cert: string
  readonly key: string
  readonly passphrase?: string | undefined
}

/** A setting of the network that cannot be used. `message` names the variable, never a password in it. */
export class InvalidNetwork extends Error {
  override readonly name = 'InvalidNetwork'
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the network from environment variables, as other programs of the machine understand them: HTTPS_PROXY, HTTP_PROXY (the
 * latter only in lower case within CGI, where a request header sets it), ALL_PROXY, NO_PROXY; the certificates that Node and the
 * system trust, and those of NODE_EXTRA_CA_CERTS and SSL_CERT_FILE; a client certificate in WARDER_CLIENT_CERT,
 * WARDER_CLIENT_KEY and WARDER_CLIENT_KEY_PASSPHRASE, or as Claude Code calls them (CLAUDE_CODE_…). Throws `InvalidNetwork`.
 */
export function readNetwork(env: Environment): Network {
  const proxies = readProxies(env)
  const certificate = readCertificate(env)
  return {
    ...(proxies && { proxies }),
    ca: readAuthorities(env),
    ...(certificate && { certificate }),
  }
}

/** The first of the variables that says something. */
function firstOf(env: Environment, names: readonly string[]): readonly [string, string] | undefined {
  for (const name of names) {
    const value = env[name]?.trim()
    if (value) return [name, value]
  }
  return undefined
}

function readProxies(env: Environment): Proxies | undefined {
  const isCgi = env['REQUEST_METHOD'] !== undefined
  const all = ['all_proxy', 'ALL_PROXY']
  const proxy = (names: readonly string[]): string | undefined => {
    const found = firstOf(env, names)
    if (found === undefined) return undefined
    const [name, value] = found
    const url = readProxyUrl(value)
    if (url === undefined) {
      throw new InvalidNetwork(`${name} is not the URL of an http or https proxy, such as http://proxy:3128`)
    }
    return url.href
  }
  const https = proxy(['https_proxy', 'HTTPS_PROXY', ...all])
  const http = proxy(['http_proxy', ...(isCgi ? [] : ['HTTP_PROXY']), ...all])
  const no = firstOf(env, ['no_proxy', 'NO_PROXY'])?.[1]
  if (https === undefined && http === undefined) return undefined
  return { ...(http && { http }), ...(https && { https }), ...(no && { no }) }
}

function readAuthorities(env: Environment): readonly string[] {
  const files = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'].flatMap((name) => {
    const path = env[name]
    if (!path) return []
    const certificates = readFileOf(name, path).match(
      /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
    )
    if (certificates === null) throw new InvalidNetwork(`${name}: no certificate in ${path}`)
    return certificates
  })
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...files])]
}

const certificateVariables = ['WARDER_CLIENT', 'CLAUDE_CODE_CLIENT']

function readCertificate(env: Environment): ClientCertificate | undefined {
  for (const prefix of certificateVariables) {
    const [certFile, keyFile] = [env[`${prefix}_CERT`], env[`${prefix}_KEY`]]
    if (!certFile && !keyFile) continue
    if (!certFile || !keyFile) {
      throw new InvalidNetwork(`${prefix}_CERT and ${prefix}_KEY are only of use together`)
    }
    const passphrase = env[`${prefix}_KEY_PASSPHRASE`]
    const certificate = {
      cert: readFileOf(`${prefix}_CERT`, certFile),
      key: readFileOf(`${prefix}_KEY`, keyFile),
      ...(passphrase && { passphrase }),
    }
    try {
      createSecureContext(certificate)
    } catch {
      // Not as cause: it might quote what was read.
      throw new InvalidNetwork(
        `${prefix}_CERT and ${prefix}_KEY do not fit together, or the passphrase is wrong`,
      )
    }
    return certificate
  }
  return undefined
}

function readFileOf(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new InvalidNetwork(`${variable}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

const contexts = new WeakMap<Network, SecureContext>()

/** What TLS connections of this network have in common. Made once: reading hundreds of certificates takes milliseconds. */
export function secureContextOf(network: Network): SecureContext {
  const known = contexts.get(network)
  if (known !== undefined) return known
  const context = createSecureContext({
    ...(network.ca && { ca: [...network.ca] }),
    ...network.certificate,
  })
  contexts.set(network, context)
  return context
}
