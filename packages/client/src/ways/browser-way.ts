import { Refusal } from '@warder/protocol'
import { type Browser, type Desktop, findBrowser } from './find-browser.ts'
import { type Loopback, type LoopbackOddity, makeLoopback } from './loopback.ts'
import { openBrowser } from './open-browser.ts'
import { type OpenableUrl, readOpenableUrl } from './openable-url.ts'
import { type PasteInput, readPastedAnswer } from './paste-back.ts'
import type { AuthorizeRequest, BrowserWay } from './sign-in-way.ts'

/** A sign-in that somebody else shows to the person: an agent, or the host of a bridge. */
export interface Handoff {
  readonly authorizationUrl: string
  /** Milliseconds since 1970; nobody waits for the answer after that. */
  readonly expiresAt: number
}

/** How a person at this computer signs in. */
export interface BrowserWayOptions extends Desktop {
  /** Told what is going on, in words, without any secret but the address that has to be opened. */
  say(line: string): void
  /** A fixed port: see `makeLoopback`. */
  readonly callbackPort?: number | undefined
  /** How long a person may take; ten minutes by default. */
  readonly timeoutMs?: number | undefined
  /** Shows the address instead of opening a browser. */
  readonly noBrowser?: boolean | undefined
  /** Where the answer may be pasted when the address was shown. */
  readonly input?: PasteInput | undefined
  /** Gets the address instead of the person. What it throws ends the sign-in. */
  readonly handOff?: ((handoff: Handoff) => void) | undefined
}

const tenMinutes = 600_000

/**
 * Signs a person in with a browser: opens one here, by a local link that works once; or shows the address where there is none
 * (SSH, containers), for any browser anywhere. The answer arrives at a listener on this computer, or is pasted.
 *
 * `authorize` throws `sign-in.url`, `sign-in.timeout`, `sign-in.browser` (no browser, and nowhere to paste), or the reason of its
 * signal; `redirectUris` throws `sign-in.port`.
 */
export function browserWay(options: BrowserWayOptions): BrowserWay {
  const told = new Set<LoopbackOddity>()
  // Once each: any program here could repeat them for ever.
  const notice = (oddity: LoopbackOddity): void => {
    if (!told.has(oddity)) options.say(oddities[oddity])
    told.add(oddity)
  }
  const loopback = makeLoopback({ port: options.callbackPort, notice })
  return {
    kind: 'browser',
    redirectUris: (registered) => loopback.open(registered),
    authorize: (request) => authorize(request, loopback, options),
    close: () => loopback.close(),
  }
}

const oddities: Readonly<Record<LoopbackOddity, string>> = {
  'other-state': 'A browser brought the answer to another sign-in. It was not used; still waiting for yours.',
  'link-used-twice':
    'The link of this sign-in was opened a second time. If the first time was not you, press Ctrl-C and start again.',
}

async function authorize(
  request: AuthorizeRequest,
  loopback: Loopback,
  options: BrowserWayOptions,
): Promise<string> {
  const url = readOpenableUrl(request.url)
  const timeoutMs = options.timeoutMs ?? tenMinutes
  // Ends whatever still waits when one of them has come to its end.
  const end = new AbortController()
  const timer = setTimeout(() => end.abort(new Refusal('sign-in.timeout')), timeoutMs)
  const signal = AbortSignal.any([request.signal, end.signal])
  const wait = { state: request.state, redirectUri: request.redirectUri, signal }
  try {
    const answer = loopback.wait(wait)
    // Also when the way to the person fails first.
    answer.catch(() => {})
    return await Promise.race([answer, bringToPerson(url, { ...options, timeoutMs }, loopback, wait)])
  } finally {
    clearTimeout(timer)
    end.abort()
  }
}

type Wait = Parameters<Loopback['wait']>[0]

/** Shows the person where to go. Answers what the person pastes; else it is over when the signal is. */
async function bringToPerson(
  url: OpenableUrl,
  options: BrowserWayOptions & { readonly timeoutMs: number },
  loopback: Loopback,
  wait: Wait,
): Promise<string> {
  if (options.handOff !== undefined) {
    options.handOff({ authorizationUrl: url, expiresAt: Date.now() + options.timeoutMs })
    return pasted(options, wait)
  }
  const browser = options.noBrowser === true ? { missing: '' } : findBrowser(options)
  if (!('missing' in browser) && (await openHere(browser, url, options, loopback, wait)))
    return never(wait.signal)
  const why = 'missing' in browser ? browser.missing : 'the browser could not be started'
  if (options.input === undefined && options.noBrowser !== true) {
    throw new Refusal('sign-in.browser', { detail: why })
  }
  if (why !== '') options.say(`No browser can be opened here: ${why}.`)
  options.say(`Open this address in a browser, on this computer or another one:\n\n  ${url}\n`)
  if (options.input === undefined) return never(wait.signal)
  options.say(
    'If the last page cannot be reached, copy its whole address and paste it here (it is not shown), then press Enter:',
  )
  return pasted(options, wait)
}

async function openHere(
  browser: Browser,
  url: OpenableUrl,
  { say, env }: BrowserWayOptions,
  loopback: Loopback,
  { redirectUri }: Wait,
): Promise<boolean> {
  const link = loopback.launch(url, redirectUri)
  say('Your browser opens now, for you to sign in.')
  say(`If it does not, open this link on this computer: ${link}`)
  return openBrowser(browser, readOpenableUrl(link), env)
}

async function pasted({ input, say }: BrowserWayOptions, wait: Wait): Promise<string> {
  const answer = input === undefined ? undefined : await readPastedAnswer({ ...wait, input, say })
  return answer ?? never(wait.signal)
}

/** The listener has the answer then, or nobody has. */
function never(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
