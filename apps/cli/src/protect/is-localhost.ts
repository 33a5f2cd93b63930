import { isLoopbackHost } from '@warder/protocol'

/** Whether `localhost` leads to it. To the others of 127.0.0.0/8 it does not: there a port may be somebody else's. */
export function isLocalhost(host: string): boolean {
  return isLoopbackHost(host) && (host === '127.0.0.1' || !host.startsWith('127.'))
}
