import type { Sighting } from './sighting.ts'

/** Where a trap stands: its own path on two origins, of which the second belongs to "somebody else". */
export interface Place {
  /** The issuer, and the prefix of every endpoint: `http://127.0.0.1:PORT/NAME`. */
  readonly base: string
  /** The same on the other origin. */
  readonly other: string
  /** The MCP endpoint, which is the resource. */
  readonly resource: string
}

/** What an endpoint answers. A string body goes out as it is, everything else as JSON. */
export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Opens the answer, and then says nothing more. */
  readonly isEndless?: boolean
}

type Fields = Readonly<Record<string, unknown>>

/** How a trap differs from the honest server: each gets what an honest one would say. All of it is optional. */
export interface Tricks {
  /** The parameters of the challenge in 401. */
  challenge?(honest: Readonly<Record<string, string>>, place: Place): Readonly<Record<string, string>>
  resourceMetadata?(honest: Fields, place: Place, seen: readonly Sighting[]): Answer
  serverMetadata?(honest: Fields, place: Place): Answer
  registration?(honest: Fields, place: Place): Fields
  /** The parameters that go to the redirect URI; `undefined`: no answer at all. */
  callback?(honest: Fields, place: Place): Fields
  token?(honest: Fields, place: Place): Answer
  /** An answer to a message that came with a good token; `undefined`: the honest one. */
  message?(method: string, place: Place, seen: readonly Sighting[]): Answer | undefined
}

export interface Trap {
  /** Its path, and what people call it. */
  readonly name: string
  /** The number in the catalogue of negative tests, or the requirement. */
  readonly number: string
  /** What it tries. */
  readonly tries: string
  /** What a safe client does. */
  readonly safe: string
  readonly tricks: Tricks
  /** What a client did that it should not have, in words; `undefined`: nothing. */
  fell(seen: readonly Sighting[], place: Place): string | undefined
  /** A safe client gets to the tool all the same: the trap is only beside the way. */
  readonly isPassable?: boolean
}
