/**
 * A request, as much of it as is looked at: every web-standard `Request` is one. Making one of those costs a server more than most
 * of what is asked, so a server that has none need not.
 */
export interface WebRequest {
  readonly method: string
  /** Absolute. */
  readonly url: string
  /** Several of one name arrive as one, joined as by the platform's `Headers`. Asked for by lower-case names. */
  readonly headers: Pick<Headers, 'get' | 'has'>
  readonly body: ReadableStream<Uint8Array> | Uint8Array | null
}

/** An answer, whole. */
export interface Answer {
  readonly status: number
  /** Each name in one spelling only; a list goes out as so many headers. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string | null
}

/** The same answer, web-standard. */
export function toResponse({ status, headers, body }: Answer): Response {
  const each = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  )
  return new Response(body, { status, headers: each })
}
