import type { ClientOptions } from '@warder/client'

type BrowserWay = Extract<ClientOptions['way'], { readonly kind: 'browser' }>

/** A browser that follows one redirect, and the URLs that it was sent to. */
export interface TestBrowser extends BrowserWay {
  readonly visited: readonly URL[]
}

export function openTestBrowser(
  redirectUris: readonly string[] = ['http://127.0.0.1:7777/callback', 'http://localhost:7777/callback'],
): TestBrowser {
  const visited: URL[] = []
  return {
    kind: 'browser',
    visited,
    redirectUris: async () => redirectUris,
    async authorize({ url }) {
      visited.push(new URL(url))
      const location = (await fetch(url, { redirect: 'manual' })).headers.get('location')
      if (location === null) throw new Error('no redirect')
      return location
    },
    close: async () => {},
  }
}
