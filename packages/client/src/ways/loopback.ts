import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '@warder/protocol'
import { isSameSecret } from '../is-same-secret.ts'
import { type CallbackPage, callbackHeaders, callbackPage } from './callback-page.ts'
import { makeLauncher } from './launcher.ts'
import { type LoopbackListener, listenOnLoopback } from './listen-on-loopback.ts'
import type { OpenableUrl } from './openable-url.ts'

/** Something at the listener that a person should hear of. None of it ends a sign-in. */
export type LoopbackOddity = 'other-state' | 'link-used-twice'

/** The local end of a sign-in: where the browser starts, and where it brings the answer. */
export interface Loopback {
  /** Starts to listen, if it does not already, and answers the redirect URIs. */
  open(registered?: readonly string[]): Promise<readonly string[]>
  /** A local link that leads to `url` once. */
  launch(url: OpenableUrl, redirectUri: string): string
  /**
   * The whole URL of the callback with this state; waits until the signal ends it, and rejects with its reason. Where another
   * sign-in has ended the listening meanwhile, it begins again at the same port; `sign-in.port` if that is taken.
   */
  wait(request: LoopbackWait): Promise<string>
  /** Ends listening, unless somebody waits: sign-ins side by side share the listener. */
  close(): Promise<void>
}

/** What is waited for. */
export interface LoopbackWait {
  readonly state: string
  readonly redirectUri: string
  readonly signal: AbortSignal
}

/** How to listen. */
export interface LoopbackOptions {
  /**
   * A fixed port, for clients that were registered by hand. The redirect URI is then `http://localhost:PORT/callback`, exactly
   * as Claude Code has it, so that one registration serves both.
   */
  readonly port?: number | undefined
  readonly notice?: (oddity: LoopbackOddity) => void
}

interface Waiter extends LoopbackWait {
  arrived(url: string): void
}

/**
 * No part of the path is secret. It would have to be registered anew for each sign-in, since authorization servers let the port
 * of a loopback address differ and nothing else (RFC 8252 section 7.3); what tells our answer from another is `state`.
 */
const callbackPath = '/callback'

/**
 * Listens on this computer for the answer of a sign-in. Only GET, only by our own names, one fixed page for every answer. A
 * callback with another state is not ours, and changes nothing: otherwise any local program or web page could end a sign-in
 * by guessing the port (Q10). Does not check what the answer says, nor who sent it.
 */
export function makeLoopback({ port, notice = () => {} }: LoopbackOptions = {}): Loopback {
  const launcher = makeLauncher()
  const waiting = new Set<Waiter>()
  let listener: Promise<LoopbackListener> | undefined
  let closing: Promise<void> | undefined
  let bound = 0

  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    const [path, query] = split(req.url ?? '')
    if (req.method !== 'GET') res.writeHead(405, { ...callbackHeaders, Allow: 'GET' }).end()
    else if (!isOurHost(req, bound)) res.writeHead(421, callbackHeaders).end()
    else if (path === callbackPath) takeCallback(query, res)
    else followLink(path, res)
  }

  const takeCallback = (query: string, res: ServerResponse): void => {
    const params = new URLSearchParams(query)
    const states = params.getAll('state')
    const waiter = [...waiting].find(
      ({ state }) => states.length === 1 && isSameSecret(states[0] ?? '', state),
    )
    if (waiter === undefined) {
      show(res, 'unknown')
      notice('other-state')
      return
    }
    waiting.delete(waiter)
    // The page first: who waits closes the listener, and with it the connection.
    res.once('close', () => waiter.arrived(`${waiter.redirectUri}?${query}`))
    show(res, params.has('code') ? 'received' : 'unfinished')
  }

  const followLink = (path: string, res: ServerResponse): void => {
    const target = launcher.follow(path)
    if (target === undefined) show(res, 'unknown')
    else if (target === 'used') {
      show(res, 'used')
      notice('link-used-twice')
    } else res.writeHead(302, { ...callbackHeaders, Location: target }).end()
  }

  const listen = async (where: Parameters<typeof listenOnLoopback>[1]): Promise<void> => {
    // The port is ours again only when it was given back.
    const opening = listener ?? Promise.resolve(closing).then(() => listenOnLoopback(answer, where))
    listener = opening
    try {
      bound = (await opening).port
    } catch (error) {
      if (listener === opening) listener = undefined
      throw error
    }
  }

  const listenFor = async (redirectUri: string): Promise<void> => {
    const needed = Number(new URL(redirectUri).port)
    await listen({ port: needed })
    if (bound !== needed) throw new Refusal('sign-in.port', { detail: `port ${needed} was given up` })
  }

  return {
    async open(registered = []) {
      const wanted = port === undefined ? registered.map(portOf).find((one) => one !== undefined) : undefined
      await listen({ port, wanted })
      const names = port === undefined ? ['127.0.0.1', 'localhost'] : ['localhost']
      return names.map((name) => `http://${name}:${bound}${callbackPath}`)
    },
    launch: (url, redirectUri) => `${new URL(redirectUri).origin}${launcher.link(url)}`,
    wait: ({ state, redirectUri, signal }) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        const leave = (): void => {
          waiting.delete(waiter)
          reject(signal.reason)
        }
        const arrived = (url: string): void => {
          signal.removeEventListener('abort', leave)
          resolve(url)
        }
        const waiter: Waiter = { state, redirectUri, signal, arrived }
        waiting.add(waiter)
        signal.addEventListener('abort', leave, { once: true })
        listenFor(redirectUri).catch((error: unknown) => {
          waiting.delete(waiter)
          signal.removeEventListener('abort', leave)
          reject(error)
        })
      }),
    async close() {
      if (waiting.size > 0) return
      const open = listener
      if (open === undefined) return closing
      listener = undefined
      launcher.forgetAll()
      // What went wrong with opening is told to who opened.
      closing = open.then(
        (one) => one.close(),
        () => {},
      )
      await closing
    },
  }
}

function show(res: ServerResponse, page: CallbackPage): void {
  const { status, html } = callbackPage(page)
  res.writeHead(status, { ...callbackHeaders, 'Content-Type': 'text/html; charset=utf-8' }).end(html)
}

/** A page of another name that resolves to this computer (DNS rebinding) has that name as its Host. */
function isOurHost({ headers, headersDistinct }: IncomingMessage, port: number): boolean {
  const names = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`)
  return headersDistinct['host']?.length === 1 && names.includes(headers.host ?? '')
}

function split(target: string): readonly [path: string, query: string] {
  const at = target.indexOf('?')
  return at === -1 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)]
}

function portOf(redirectUri: string): number | undefined {
  const found = /^http:\/\/127\.0\.0\.1:([0-9]{1,5})\/callback$/.exec(redirectUri)
  return found === null || Number(found[1]) > 65_535 ? undefined : Number(found[1])
}
