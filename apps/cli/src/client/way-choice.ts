import { resolve } from 'node:path'
import type { DpopMode } from '@warder/client'
import { isLoopbackHost } from '@warder/protocol'
import type { Input, Option } from '../command.ts'
import { Problem } from '../problem.ts'

/** Who says yes, or what stands for it. */
export type WayName = 'person' | 'client-credentials' | 'workload' | 'enterprise' | 'exchange'

/**
 * How a sign-in comes about, as a user chose it: enough for another process to get new tokens by itself. It holds no secret: files
 * are read when they are used, everything else is in the credential store.
 */
export interface WayChoice {
  readonly way: WayName
  /** Absolute; of the client's private key. */
  readonly keyFile?: string | undefined
  readonly keyId?: string | undefined
  /** Absolute; of the workload's JWT, or the token to exchange. */
  readonly tokenFile?: string | undefined
  readonly tokenType?: ExchangedType | undefined
  /** The one authorization server that may see any of it. */
  readonly issuer?: string | undefined
  readonly idp?: string | undefined
  readonly idpClientId?: string | undefined
  readonly dpop?: DpopMode | undefined
}

export const exchangedTypes = ['access_token', 'id_token', 'jwt', 'refresh_token', 'saml2'] as const
export type ExchangedType = (typeof exchangedTypes)[number]
export const dpopModes = ['auto', 'always', 'never'] as const

/** The ways in which nobody has to say yes each time. */
export const grantOptions: Readonly<Record<string, Option>> = {
  'client-credentials': { says: 'Sign in as the client itself, with its secret or private key' },
  'workload-token-file': {
    value: 'FILE',
    says: 'Sign in with the JWT that the platform keeps in this file (or set WARDER_WORKLOAD_TOKEN_FILE)',
  },
  enterprise: { says: 'Sign in by your organisation’s identity provider, once for all of its servers' },
  idp: { value: 'URL', says: 'With --enterprise: the identity provider (its issuer)' },
  'idp-client-id': { value: 'ID', says: 'With --enterprise: this client as the identity provider knows it' },
  'idp-client-secret-stdin': { says: 'With --enterprise: read its secret from standard input' },
  exchange: { says: 'Sign in with another token that you have (RFC 8693)' },
  'subject-token-file': { value: 'FILE', says: 'With --exchange: the file that has it' },
  'subject-token-type': {
    value: 'TYPE',
    says: `With --exchange: what it is: ${exchangedTypes.join(', ')} (default: access_token)`,
    among: exchangedTypes,
  },
  issuer: {
    value: 'URL',
    says: 'The authorization server that may see the credential; --exchange needs it',
  },
}

/** What a client proves itself with, and what its tokens are bound to. */
export const keyOptions: Readonly<Record<string, Option>> = {
  'private-key': {
    value: 'FILE',
    says: 'The client’s private key in place of a secret: PEM or JWK, in a file that only you can read',
  },
  'key-id': { value: 'KID', says: 'With --private-key: the key’s name at the authorization server' },
  dpop: {
    value: 'WHEN',
    says: 'Bind tokens to a key of this computer: auto (where both servers can), always, never (default: auto)',
    among: dpopModes,
  },
}

/** Each option that chooses a way, and the way. */
const askedBy: readonly (readonly [option: string, way: WayName])[] = [
  ['client-credentials', 'client-credentials'],
  ['workload-token-file', 'workload'],
  ['enterprise', 'enterprise'],
  ['exchange', 'exchange'],
]

/** What belongs to one way, or to one other option. */
const belongs: readonly (readonly [option: string, to: string])[] = [
  ['idp', 'enterprise'],
  ['idp-client-id', 'enterprise'],
  ['idp-client-secret-stdin', 'enterprise'],
  ['subject-token-file', 'exchange'],
  ['subject-token-type', 'exchange'],
  ['key-id', 'private-key'],
]

/**
 * The way of a command line; where it names none, that of the last sign-in (`kept`), then the one that the environment offers, then
 * a person. Throws `Problem` for options that do not go together.
 */
export function chooseWay(
  input: Pick<Input, 'options' | 'switches'>,
  kept: WayChoice | undefined,
  env: NodeJS.ProcessEnv = process.env,
): WayChoice {
  const asked = readWay(input)
  const fields = readFields(input)
  const before = kept !== undefined && (asked === undefined || asked === kept.way) ? kept : undefined
  const isNew = before === undefined && asked === undefined && !isGiven(input, 'client-id')
  const offered = isNew ? readOffered(env) : undefined
  const choice: WayChoice = {
    ...(before === undefined ? offered : readRest(before, input, fields)),
    way: asked ?? before?.way ?? offered?.way ?? 'person',
    ...fields,
  }
  checkWhole(choice, input)
  return choice
}

const isGiven = ({ options, switches }: Pick<Input, 'options' | 'switches'>, name: string): boolean =>
  switches.has(name) || options[name] !== undefined

function readWay(input: Pick<Input, 'options' | 'switches'>): WayName | undefined {
  const byPerson = ['no-browser', 'device', 'print-handoff'].filter((name) => isGiven(input, name))
  const byGrant = askedBy.filter(([name]) => isGiven(input, name))
  const [first] = byGrant
  // Somebody has to sign in at the identity provider: it can be said how.
  const together = byPerson.filter((name) => first?.[1] !== 'enterprise' || name === 'device')
  const excluding = [...(first === undefined ? [] : together), ...byGrant.map(([name]) => name)]
  if (excluding.length > 1) throw new Problem(`--${excluding.join(' and --')} exclude each other.`, 2)
  for (const [name, to] of belongs) {
    if (isGiven(input, name) && !isGiven(input, to)) throw new Problem(`--${name} needs --${to}.`, 2)
  }
  if (first?.[1] === 'enterprise' && input.switches.has('print-handoff') && !input.switches.has('wait'))
    throw new Problem('--enterprise with --print-handoff needs --wait.', 2)
  return first?.[1] ?? (byPerson.length > 0 ? 'person' : undefined)
}

function readFields({ options }: Pick<Input, 'options'>): Omit<WayChoice, 'way'> {
  const file = (name: string): string | undefined => readFile(options[name], `--${name}`)
  const fields: Omit<WayChoice, 'way'> = {
    keyFile: file('private-key'),
    keyId: options['key-id'],
    tokenFile: file('workload-token-file') ?? file('subject-token-file'),
    tokenType: exchangedTypes.find((type) => type === options['subject-token-type']),
    issuer: readIssuer(options['issuer'], '--issuer'),
    idp: readIssuer(options['idp'], '--idp'),
    idpClientId: options['idp-client-id'],
    dpop: dpopModes.find((mode) => mode === options['dpop']),
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** Other processes are started elsewhere. */
function readFile(given: string | undefined, where: string): string | undefined {
  if (given === undefined) return undefined
  if (given === '') throw new Problem(`${where} is empty.`, 2)
  return resolve(given)
}

/** Compared raw with what servers say of themselves: only its form is checked, and nothing is normalised. */
function readIssuer(given: string | undefined, where: string): string | undefined {
  if (given === undefined) return undefined
  const url = URL.canParse(given) ? new URL(given) : undefined
  const isHere = isLoopbackHost(url?.hostname ?? '')
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isHere)) return given
  throw new Problem(`${where} is a URL that begins with https://, exactly as that server writes it.`, 2)
}

/** A platform that sets the variable for a workload: nobody has to name the file then. */
function readOffered(env: NodeJS.ProcessEnv): WayChoice | undefined {
  const file = env['WARDER_WORKLOAD_TOKEN_FILE']
  return file === undefined || file === '' ? undefined : { way: 'workload', tokenFile: resolve(file) }
}

/** What a command line says is not mixed with what was said before: a token or a key must not get to another server by that. */
function readRest(
  kept: WayChoice,
  { options }: Pick<Input, 'options'>,
  fields: Partial<WayChoice>,
): Partial<WayChoice> {
  const { keyFile, keyId, dpop, way: _, ...credential } = kept
  const hasOther = Object.keys(credential).some((name) => fields[name as keyof WayChoice] !== undefined)
  const isOtherClient = options['private-key'] !== undefined || options['client-id'] !== undefined
  return { dpop, ...(!hasOther && credential), ...(!isOtherClient && { keyFile, keyId }) }
}

function checkWhole(choice: WayChoice, { switches }: Pick<Input, 'switches'>): void {
  const { way, tokenFile, issuer, keyFile } = choice
  if (way === 'exchange' && (tokenFile === undefined || issuer === undefined)) {
    throw new Problem(
      '--exchange needs --subject-token-file FILE and --issuer URL: the token is shown to that authorization server alone.',
      2,
    )
  }
  if (way === 'workload' && keyFile !== undefined)
    throw new Problem('--workload-token-file needs no client: leave --private-key out.', 2)
  if (keyFile !== undefined && switches.has('client-secret-stdin'))
    throw new Problem('--private-key and --client-secret-stdin exclude each other.', 2)
  if (switches.has('client-secret-stdin') && switches.has('idp-client-secret-stdin')) {
    throw new Problem(
      'standard input holds one secret: give that of --client-id by MCP_CLIENT_SECRET, and the other by --idp-client-secret-stdin.',
      2,
    )
  }
}
