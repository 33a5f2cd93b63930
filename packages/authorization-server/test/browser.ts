import type { AuthorizationServer } from '../src/index.ts'

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

/** What came back, and where the browser stands now. */
export interface Shown {
  readonly status: number
  readonly url: string
  readonly html: string
  readonly headers: Headers
  /** Where a redirect pointed that the browser did not follow, since it leaves the server. */
  readonly left: URL | undefined
  /** Statuses of the redirects that led here, the first one first. */
  readonly hops: readonly number[]
}

/** A browser with a cookie jar that keeps to `Path`, follows redirects within one origin, and sends `Origin` with forms. */
export interface Browser {
  open(url: string): Promise<Shown>
  /** Sends the form of a page as a user would, with these fields over the hidden ones; `null` leaves a field out. */
  submit(
    page: Shown,
    fields: Readonly<Record<string, string | readonly string[] | null>>,
    headers?: Readonly<Record<string, string | null>>,
  ): Promise<Shown>
  /** The `Cookie` header that a request to this URL would carry. */
  cookies(url: string): string
  setCookie(cookie: Cookie): void
}

export function makeBrowser(server: AuthorizationServer, address = '127.0.0.1'): Browser {
  const jar = new Map<string, Cookie>()

  function cookies(url: string): string {
    const { pathname } = new URL(url)
    return [...jar.values()]
      .filter(({ path }) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  function keep(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ')
      const [name = '', value = ''] = pair.split('=', 2)
      const path = attributes.find((one) => one.startsWith('Path='))?.slice(5) ?? '/'
      if (attributes.includes('Max-Age=0')) jar.delete(`${name} ${path}`)
      else jar.set(`${name} ${path}`, { name, value, path })
    }
  }

  async function go(url: string, init: RequestInit): Promise<Shown> {
    const headers = new Headers(init.headers)
    const cookie = cookies(url)
    if (cookie !== '') headers.set('cookie', cookie)
    const response = await server.handle(new Request(url, { ...init, headers }), { address })
    keep(response)
    const html = await response.text()
    const location = response.headers.get('location')
    const shown = { status: response.status, url, html, headers: response.headers, left: undefined, hops: [] }
    if (location === null) return shown
    const next = new URL(location, url)
    if (next.origin !== new URL(url).origin) return { ...shown, left: next }
    const end = await go(next.href, {})
    return { ...end, hops: [response.status, ...end.hops] }
  }

  return {
    open: (url) => go(url, {}),
    submit(page, fields, headers = {}) {
      const action = /<form[^>]*action="([^"]+)"/.exec(page.html)?.[1]
      if (action === undefined)
        throw new Error(`no form on the page:\n${page.html.replace(/<style>.*<\/style>/s, '')}`)
      const body = new URLSearchParams()
      const all = { form_token: /name="form_token" value="([^"]+)"/.exec(page.html)?.[1] ?? null, ...fields }
      for (const [name, value] of Object.entries(all)) {
        for (const one of value === null ? [] : [value].flat()) body.append(name, one)
      }
      const sent = new Headers({ origin: new URL(page.url).origin })
      for (const [name, value] of Object.entries(headers)) {
        if (value === null) sent.delete(name)
        else sent.set(name, value)
      }
      return go(new URL(action, page.url).href, { method: 'POST', body, headers: sent })
    },
    cookies,
    setCookie: (cookie) => jar.set(`${cookie.name} ${cookie.path}`, cookie),
  }
}
