import { isHeaderName, isHeaderValue, isSecretName, type Texts } from '@warder/host-config'
import { isLoopbackHost } from '@warder/protocol'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'
import { showUrl } from './show-url.ts'

/** Headers that belong to HTTP and to MCP, not to whoever names a server. */
const kept: ReadonlySet<string> = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Where headers come from: in words, and as what a mistake in them counts. */
export interface HeaderGiver {
  readonly title: string
  readonly exitCode: number
}

export const serverList: HeaderGiver = { title: 'a list of servers', exitCode: 1 }
export const commandLine: HeaderGiver = { title: 'a command line', exitCode: 2 }

/** Throws `Problem` for a header that cannot be sent, is not the giver's to set, or would show a credential to the network. */
export function checkHeaders(headers: Texts, server: string, { title, exitCode }: HeaderGiver): void {
  const inTheClear = isInTheClear(server)
  for (const [name, value] of Object.entries(headers)) {
    if (!isHeaderName(name) || !isHeaderValue(value))
      throw new Problem(`the header ${plain(name)} cannot be sent as it is.`, exitCode)
    if (kept.has(name.toLowerCase()))
      throw new Problem(`the header ${plain(name)} is not for ${title} to set.`, exitCode)
    if (inTheClear && isSecretName(name))
      throw new Problem(
        `the header ${plain(name)} would cross the network in the clear: ${showUrl(server)} is not https. Nothing was sent.`,
        exitCode,
      )
  }
}

/** Throws `Problem` for http beyond this computer: whoever sits in between could read and change what is said (CL-65). */
export function checkConfidential(server: string): void {
  if (!isInTheClear(server)) return
  throw new Problem(
    `${showUrl(server)} is not https: everything would cross the network in the clear. Nothing was sent. ` +
      'Use the https address of this server; http is for servers on this computer.',
    2,
  )
}

function isInTheClear(server: string): boolean {
  const { protocol, hostname } = new URL(server)
  return protocol === 'http:' && !isLoopbackHost(hostname)
}
