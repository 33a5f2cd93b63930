import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'

export type HeaderLines = Readonly<Record<string, string | readonly string[] | null>>

/** What came back, whole. */
export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  /** Head and body as one text, for what must not be in it. */
  readonly all: string
}

/** Sends one request over a connection of its own; a header that is null is not sent, an array is several lines. */
export async function send(
  url: string,
  sent: { readonly method: string; readonly headers: HeaderLines; readonly body?: string | undefined },
): Promise<Got> {
  const { hostname, port } = new URL(url)
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(sent.headers))
    if (value !== null) headers[name] = typeof value === 'string' ? value : [...value]
  const req = request({
    host: hostname,
    port,
    path: url.slice(new URL(url).origin.length) || '/',
    method: sent.method,
    headers,
    agent: false,
  })
  const answered = once(req, 'response') as Promise<[IncomingMessage]>
  // A server that refuses early closes while we still write: then there is an answer, or the closed connection is one.
  req.on('error', () => {})
  req.end(sent.body)
  const res = await answered.then(([first]) => first).catch(() => undefined)
  if (res === undefined) return { status: 0, headers: {}, text: '', all: '' }
  const chunks: Buffer[] = []
  try {
    for await (const chunk of res) chunks.push(chunk as Buffer)
  } catch {
    // Broken off in the middle: what came is what there is.
  }
  const text = Buffer.concat(chunks).toString()
  return {
    status: res.statusCode ?? 0,
    headers: res.headers as Record<string, string>,
    text,
    all: `${res.rawHeaders.join('\n')}\n\n${text}`,
  }
}

/** Writes bytes to a socket, and reads until the peer closes, or has answered so many times, or says nothing for ten seconds. */
export async function sendRaw(url: string, bytes: string, answers: number): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(Buffer.from(bytes, 'latin1'))
  let text = ''
  return new Promise((resolve) => {
    const finish = (): void => {
      socket.destroy()
      resolve(text)
    }
    socket.setTimeout(10_000, finish)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (statusesOf(text).filter((status) => status !== 100).length >= answers) setTimeout(finish, 50)
    })
    socket.on('error', finish)
    socket.on('close', finish)
  })
}

export const statusesOf = (text: string): number[] =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1]))
