import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { Refusal } from '@warder/protocol'
import type { AuthorizeRequest } from './sign-in-way.ts'

/** Where a person pastes. */
export type PasteInput = NodeJS.ReadableStream & { readonly isTTY?: boolean }

/** A sign-in whose answer somebody pastes. */
export interface PasteBack extends Pick<AuthorizeRequest, 'state' | 'redirectUri'> {
  readonly input: PasteInput
  readonly signal: AbortSignal
  /** Told in words when a line is not the answer; another one may follow. */
  say(line: string): void
}

/**
 * Reads lines until one is the callback URL of this sign-in; undefined when the input ends first. For a browser on another
 * computer, whose last page is an address that leads nowhere there.
 *
 * What is pasted has a code in it: it is not shown, and gets into no history. On a terminal it is read key by key, since a
 * terminal cuts whole lines off at 4,096 characters.
 */
export async function readPastedAnswer({
  input,
  signal,
  say,
  ...request
}: PasteBack): Promise<string | undefined> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = input.isTTY === true
  const reader = createInterface({ input, output: silent, terminal, historySize: 0, signal })
  // Ctrl-C arrives here as a key.
  reader.once('SIGINT', () => {
    reader.close()
    process.kill(process.pid, 'SIGINT')
  })
  try {
    for await (const line of reader) {
      const trimmed = line.trim()
      if (trimmed === '') continue
      try {
        return readPasted(trimmed, request)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        say(`${error.notes.detail}. Paste again:`)
      }
    }
    signal.throwIfAborted()
    return undefined
  } finally {
    reader.close()
  }
}

/** `sign-in.pasted`, with words for the person in its detail: they never repeat what was pasted. */
const refused = (detail: string): Refusal => new Refusal('sign-in.pasted', { detail })

/**
 * The callback URL in a pasted line: the whole address, or what stands behind its `?`. Its `state` must be ours: a person can be
 * talked into pasting the answer to somebody else's sign-in (MCP CL-63). A code alone is not enough, since it does not say that.
 */
function readPasted(line: string, request: Pick<AuthorizeRequest, 'state' | 'redirectUri'>): string {
  if (line.length > 16_384 || !/^[\x21-\x7e]+$/.test(line)) throw refused('That is not an address')
  // A browser shows what some servers leave at the end of an address (`#`, `#_=_`); nothing of an answer stands there.
  const [plain = ''] = line.split('#', 1)
  const at = plain.indexOf('?')
  const address = at === -1 ? '' : plain.slice(0, at)
  const query = plain.slice(at + 1)
  if (address !== '' && address !== request.redirectUri) {
    throw refused(`The address must begin with ${request.redirectUri}; this one does not`)
  }
  const states = new URLSearchParams(query).getAll('state')
  if (states.length === 0) {
    throw refused('Something is missing. Copy the whole address, from http to its end')
  }
  if (states.length > 1 || states[0] !== request.state) {
    throw refused('This is the answer to another sign-in. Use the tab that you opened from the address above')
  }
  return `${request.redirectUri}?${query}`
}
