import type { IncomingMessage } from 'node:http'
import { isPublicAddress } from '@warder/outbound'
import { PolicyErrors, readPolicy } from '@warder/policy'
import {
  checkClientDocumentUrl,
  checkRedirectUri,
  Refusal,
  readBearer,
  readCall,
  readChallenges,
  readCodeChallenge,
  readCodeVerifier,
  readCompactJws,
  readForm,
  readMcpPost,
  readRegistration,
  readResource,
  readScope,
  readStrictJson,
} from '@warder/protocol'
import { readInput } from '../../apps/cli/src/command.ts'
import { protect } from '../../apps/cli/src/commands/protect.ts'
import { Problem } from '../../apps/cli/src/problem.ts'
import { readProtectOptions } from '../../apps/cli/src/protect/read-options.ts'
import { readRecord } from '../../packages/gateway/src/decision-record.ts'
import { readHead } from '../../packages/gateway/src/read-head.ts'
import { readAnswer } from '../../packages/guard/src/read-answer.ts'
import { readServerSentEvents } from '../../packages/guard/src/server-sent-events.ts'
import { checkTarget, readTarget } from '../../packages/outbound/src/check-url.ts'
import { readDatabaseUrl } from '../../packages/store/src/read-database-url.ts'

/** Throws what the parser refuses with. Where the answer is no but nothing is thrown, it says so. */
type Parser = (bytes: Uint8Array) => unknown

const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
const linesOf = (bytes: Uint8Array): string[] => textOf(bytes).replace(/\n$/, '').split('\n')
const oneLine = (bytes: Uint8Array): string => textOf(bytes).replace(/\n$/, '')

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Every parser of what strangers send, or operators write, by the name of its folder here. */
export const parsers: Readonly<Record<string, Parser>> = {
  json: (bytes) => readStrictJson(bytes),
  /** One body of a POST. */
  'mcp-post': (bytes) => readMcpPost(bytes, true).messages.map((message) => message.kind),
  /** The call in a body. */
  'mcp-call': (bytes) => readMcpPost(bytes, false).messages.map(readCall),
  /** An event stream from a server, each message in it read as clients read it. */
  async 'event-stream'(bytes) {
    for await (const part of readServerSentEvents(whole(bytes), 100_000)) {
      if (part !== 'comment' && part.data !== undefined) readAnswer(part.data)
    }
  },
  answer: (bytes) => readAnswer(textOf(bytes)),
  /** First line: what a request names; the others: what is registered. */
  'redirect-uri'(bytes) {
    const [asked = '', ...registered] = linesOf(bytes)
    checkRedirectUri(asked, registered, true)
  },
  registration(bytes) {
    readRegistration(readStrictJson(bytes))
  },
  'client-id-url': (bytes) => checkClientDocumentUrl(oneLine(bytes)),
  form: (bytes) => readForm(oneLine(bytes), ['resource']),
  scope: (bytes) => readScope(oneLine(bytes)),
  resource: (bytes) => readResource(oneLine(bytes)),
  /** Each line one `Authorization` header. */
  bearer: (bytes) => readBearer(linesOf(bytes)),
  jws: (bytes) => readCompactJws(oneLine(bytes)),
  verifier: (bytes) => readCodeVerifier(oneLine(bytes)),
  challenge: (bytes) => readCodeChallenge(oneLine(bytes), 'S256'),
  'www-authenticate': (bytes) => readChallenges(oneLine(bytes)),
  policy: (bytes) => readPolicy(textOf(bytes)),
  /** The URL of a fetch. */
  'outbound-url'(bytes) {
    const url = readTarget(oneLine(bytes))
    checkTarget(url)
  },
  address: (bytes) => (isPublicAddress(oneLine(bytes)) ? 'accepted' : 'not public'),
  /** Line by line: the target, then names and values of headers in turn, as Node gives them. */
  head(bytes) {
    const [url = '', ...rawHeaders] = linesOf(bytes)
    readHead({ url, method: 'POST', rawHeaders, socket: {} } as unknown as IncomingMessage)
  },
  'log-line': (bytes) => (readRecord(oneLine(bytes)) === undefined ? 'not a record' : 'accepted'),
  'database-url': (bytes) => readDatabaseUrl({ url: oneLine(bytes), password: 'x' }),
  /** Each line one argument of `warder protect`. */
  arguments: (bytes) => readProtectOptions(readInput(protect, linesOf(bytes))),
}

/** What a parser may throw besides a refusal: what its own contract says. */
const contracts: Readonly<Record<string, readonly (new (...given: never[]) => Error)[]>> = {
  policy: [PolicyErrors],
  'database-url': [TypeError],
  arguments: [Problem],
}

/** `accepted`, the reason of the refusal, or the name of the error; whatever else is thrown is a defect and comes through. */
export async function outcomeOf(parser: string, bytes: Uint8Array): Promise<string> {
  try {
    const answer = await parsers[parser]?.(bytes)
    return typeof answer === 'string' && /^not |^accepted$/.test(answer) ? answer : 'accepted'
  } catch (error) {
    if (error instanceof Refusal) return error.reason
    const isPromised = (contracts[parser] ?? []).some((type) => error instanceof type)
    if (isPromised && error instanceof Error) return error.name
    throw error
  }
}
