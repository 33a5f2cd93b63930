import { postForm, type Visited, visit } from './visit.ts'

/** A page as it is shown, or where a redirect leads that leaves the server. */
export interface ShownPage {
  readonly status: number
  readonly url: string
  readonly body: string
  readonly left: URL | undefined
}

/** As much of a browser as our own pages need: cookies, redirects within the server, the one form of a page. */
export interface Browser {
  open(url: string): Promise<ShownPage>
  submit(page: ShownPage, fields: readonly (readonly [string, string])[]): Promise<ShownPage>
}

const maxRedirects = 10

/** Starts with an empty cookie jar; the pages are those of one origin, and only they get what is in it. */
export function startBrowser(origin: string): Browser {
  const jar = new Map<string, string>()
  const cookieHeader = (): Record<string, string> => ({
    cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
  })

  async function follow(url: string, first: Visited): Promise<ShownPage> {
    let [at, answer] = [url, first]
    for (let hop = 0; hop < maxRedirects; hop++) {
      keep(answer)
      if (answer.location === undefined)
        return { status: answer.status, url: at, body: answer.body, left: undefined }
      const next = new URL(answer.location, at)
      if (next.origin !== origin) return { status: answer.status, url: at, body: '', left: next }
      at = next.href
      answer = await visit(at, { headers: cookieHeader() })
    }
    throw new Error('too many redirects')
  }

  function keep({ cookies }: Visited): void {
    for (const line of cookies) {
      const [pair = ''] = line.split(';')
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
  }

  return {
    open: async (url) => follow(url, await visit(url, { headers: cookieHeader() })),
    async submit(page, fields) {
      const action = /<form[^>]*action="([^"]*)"/.exec(page.body)?.[1]
      const token = /name="form_token" value="([^"]*)"/.exec(page.body)?.[1]
      if (action === undefined || token === undefined)
        throw new Error(`a page without a form, status ${page.status}`)
      const url = new URL(action, page.url).href
      const all = [['form_token', token] as const, ...fields]
      return follow(url, await postForm(url, all, { ...cookieHeader(), origin }))
    },
  }
}
