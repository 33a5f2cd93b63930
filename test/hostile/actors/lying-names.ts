import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A name server in attackers' hands, asked over HTTP. `a-10-0-0-1.name.example` is at 10.0.0.1; several addresses are joined by
 * `.and.`; `rebind-N.name.example` is first at an address that nobody has, and from then on at 127.0.0.1.
 */
export interface LyingNames {
  readonly url: string
  /** Whether anybody wanted to know where this name is: who asks would connect next. */
  wasAsked(name: string): boolean
  stop(): Promise<void>
}

/** Public by its form, and in a range that was never given out. */
const nowhere = '2d00::1'

export async function startLyingNames(): Promise<LyingNames> {
  const asked = new Set<string>()
  const server = createServer((req, res) => {
    const name = new URL(req.url ?? '/', 'http://names').searchParams.get('name') ?? ''
    const addresses = name.startsWith('rebind')
      ? [asked.has(name) ? '127.0.0.1' : nowhere]
      : name
          .replace(/\.name\.example$/, '')
          .split('.and.')
          .map((label) =>
            label.replace(/^a-/, '').replaceAll('-', '.').replace(/^v6\./, '').replaceAll('_', ':'),
          )
    asked.add(name)
    res.end(JSON.stringify(addresses.map((address) => ({ address }))))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    wasAsked: (name) => asked.has(name),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
