import { once } from 'node:events'
import { request } from 'node:http'

/** An answer as a program without any kindness reads it: no redirect followed, no header added. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** Sends one request to a URL, if need be with another Host or method than a browser would. */
export async function ask(
  url: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> | string[] } = {},
): Promise<RawAnswer> {
  const asked = request(url, { agent: false, ...options })
  asked.end()
  const [answer] = await once(asked, 'response')
  let text = ''
  for await (const chunk of answer) text += chunk
  return { status: answer.statusCode, headers: answer.headers, text }
}
