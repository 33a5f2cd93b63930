/**
 * A row of the catalogue of negative tests as data, so that the same table can be pointed at any product.
 *
 * - A *target* (`target.ts`) is what a product gives: addresses, a person who signs in, clients, an upstream server, and which
 *   features it has. A row for a feature that it lacks is "not applicable": counted and printed, never passed over in silence.
 * - A *step* is one of a few things that a client, an upstream or a peer can do, with overrides. The steps in `good` are the
 *   positive twin: they end in `twin` at every product that works, or nothing is proved by what follows.
 * - A *try* is the same steps with one defect. Its last step must end as `expect` says, in the words of the catalogue:
 *   `page 400`, `redirect invalid_request`, `400 invalid_grant`, `RS401`, `RS403`, `HM`, `deny`; `400` stands for any 400.
 * - A *verdict*: `exact`, as expected; `secure`, refused in another form; `went through`. See `judge.ts`.
 */
export interface Row {
  /** Number of the catalogue; title and severity stand in `test/negative-tests.ts`. */
  readonly id: string
  readonly needs: readonly Feature[]
  readonly good: readonly Step[]
  readonly twin: string
  readonly expect: readonly string[]
  readonly tries: readonly Try[]
  /** The specifications leave it open, so a product that lets it through has only chosen otherwise. */
  readonly isChoice?: true
  /** Something may reach the upstream: the attack comes back from there. */
  readonly reachesUpstream?: true
  /** At most so many requests may reach the host of client documents, or that of the issuer's keys, in one try. */
  readonly fetches?: number
  readonly keyFetches?: number
}

export interface Try {
  readonly what: string
  readonly steps: readonly Step[]
  /** Where it differs from the row's. */
  readonly expect?: readonly string[]
}

/** What a product may lack. */
export type Feature =
  | 'authorization server'
  | 'resource indicators'
  | 'two resources'
  | 'registration'
  | 'revocation'
  | 'client documents'
  | 'hostile names'
  | 'pages'
  /** Accepts the tokens of its own authorization server at a resource. */
  | 'own tokens'
  /** Accepts the tokens of an issuer that the table plays. */
  | 'resource server'
  | 'two servers'
  /** Decides about tools by a policy. */
  | 'policy'
  /** Stands in front of a server that the table plays. */
  | 'upstream'
  | 'sessions'

/**
 * One thing that is done. Texts may hold `{name}`: a value of the target (`{issuer}`, `{resource}`), of an earlier step
 * (`{code}`, `{access}`), of one with `as: 'first'` (`{first.refresh}`), or `{n}`, another number for each try.
 */
export interface Step {
  readonly do: StepKind
  /** Parameters, form fields or metadata that are set; `null` leaves one out, an array sends it several times. */
  readonly with?: Readonly<Record<string, unknown>>
  /** Raw text behind the query or form. */
  readonly append?: string
  /** `null` leaves one out, an array sends several lines. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>
  readonly method?: string
  readonly url?: string
  /** Instead of what would be sent. */
  readonly body?: string
  /** In the body: this text, once, becomes that one. */
  readonly edit?: readonly [string, string]
  /** Of `raw`: the lines of the head; the body is that of the good call. */
  readonly lines?: readonly string[]
  /** Another registered client, or another browser, than the first. */
  readonly other?: true
  /** Of `call`: a text, `null` for none, or how to make one; without it the good one. */
  readonly token?: TokenSpec | string | null
  /** Of `call`: at the resource of the target's own authorization server, with the token from there. */
  readonly own?: true
  readonly rpc?: string
  readonly params?: Readonly<Record<string, unknown>>
  /** Of `call`: of the revision before, without `_meta` and mirrored headers. */
  readonly older?: true
  /** What the host of documents or the upstream shall answer from now on. */
  readonly answer?: Answer
  readonly times?: number
  /** Must not come back, wherever: then the outcome is `leak`. */
  readonly hides?: readonly string[]
  readonly as?: string
  readonly seconds?: number
  /** Of a step before the last one; without it, it must succeed. */
  readonly expect?: readonly string[]
}

export type StepKind =
  | 'authorize'
  | 'sign in'
  | 'open'
  | 'log in'
  | 'decide'
  | 'redeem'
  | 'refresh'
  | 'revoke'
  | 'register'
  | 'request'
  | 'call'
  | 'raw'
  | 'serve document'
  | 'rotate keys'
  | 'upstream answers'
  | 'wait'

/** A token of the issuer that the table plays; `null` leaves a member out. */
export interface TokenSpec {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  readonly key?: SigningKey
  /** What happens to the signature. */
  readonly signature?: 'empty' | 'truncated' | 'zero' | 'over' | 'der'
}

export type SigningKey =
  | 'issuer'
  | 'issuer rsa'
  | 'rotated'
  | 'attacker'
  | `public ${'pem' | 'pem after a space' | 'pem after a newline' | 'der' | 'jwk' | 'modulus'}`

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A text; an object is sent as JSON. Of the upstream, `{id}` is the id of the request. */
  readonly body?: unknown
  /** As `text/event-stream`, in these pieces. */
  readonly events?: readonly string[]
  /** Only to requests that have this header. */
  readonly ifHeader?: string
}

/** The good steps with a defect in the last one. */
export const flawed = (good: readonly Step[], defects: Readonly<Record<string, Partial<Step>>>): Try[] =>
  Object.entries(defects).map(([what, defect]) => ({ what, steps: flaw(good, defect) }))

/** The last step with overrides; parameters and headers are merged. */
function flaw(good: readonly Step[], defect: Partial<Step>): readonly Step[] {
  const last = good.at(-1)
  if (last === undefined) throw new Error('no steps')
  const merged: Step = {
    ...last,
    ...defect,
    ...(defect.with === undefined ? {} : { with: { ...last.with, ...defect.with } }),
    ...(defect.headers === undefined ? {} : { headers: { ...last.headers, ...defect.headers } }),
  }
  return [...good.slice(0, -1), merged]
}

/** One try for each value of a parameter of the last step. */
export const eachValue = (good: readonly Step[], name: string, values: readonly unknown[]): Try[] =>
  values.map((value) => ({
    what: `${name} ${shown(value)}`,
    steps: flaw(good, { with: { [name]: value } }),
  }))

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 60 ? `${text.slice(0, 57)}… (${text.length})` : text
}
