import { RegistrationNeeded, SignInRequired, StoreUnavailable, TokenEndpointError } from '@warder/client'
import { InvalidNetwork } from '@warder/outbound'
import { type Reason, Refusal } from '@warder/protocol'
import { explainFailure } from '../doctor/explain-failure.ts'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'
import { clientExitCodes } from './client-exit-codes.ts'

/** Does some work as a client; what it throws is a problem in words, where it can be. */
export async function withClientProblems<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw clientProblem(error)
  }
}

/** What to do about a refusal, where the words of the catalogue do not say it. */
const advice: Readonly<Partial<Record<Reason, string>>> = {
  'sign-in.port': 'Stop the other program, or choose another port by --callback-port.',
  'sign-in.browser': 'Use a terminal, or see --device and --print-handoff.',
  'sign-in.timeout': 'Start again; --timeout gives you longer.',
  'server-metadata.pkce':
    'If you know that it does support it, and its operator cannot say so in its metadata: --dangerously-allow-missing-pkce.',
  'registration.other-issuer': 'Leave --client-id out, or use one of that server.',
  'callback.state': 'Use the browser tab that this sign-in opened.',
  'callback.refused': 'If you did not say no yourself, ask the operator of the server.',
  'resource-metadata.resource':
    'Compare the address with the one that its operator gave you, letter by letter.',
  'grant-type.unsupported':
    'This server signs people in by a browser only: leave --device out, or use --no-browser.',
  'client.unknown': 'Name one that you have registered there: --client-id ID.',
  'client.authentication':
    'Name the client with its secret or its key: --client-id ID --client-secret-stdin < FILE, or --client-id ID --private-key FILE.',
  'client-key.unusable':
    'It has to be the key that is registered there: PEM or JWK, of P-256, RSA with 2,048 bits, or Ed25519.',
  'workload-token.unusable':
    'See that the file is there, and that what it holds is for this server; or name another by --workload-token-file or --subject-token-file.',
}

/**
 * What a client met, as a problem that a person can do something about. Words from other computers are made harmless (Q27); an
 * error that is none of these goes on as it is.
 */
export function clientProblem(error: unknown): unknown {
  if (error instanceof Refusal) return problemOfRefusal(error)
  if (error instanceof TokenEndpointError) return new Problem(plain(wordsOfTokenError(error)))
  if (error instanceof RegistrationNeeded) {
    return new Problem(`${plain(error.message)}: warder login ${error.server} --client-id ID`)
  }
  if (error instanceof SignInRequired) {
    return new Problem(plain(`${error.message}.`), clientExitCodes.signInRequired)
  }
  if (error instanceof StoreUnavailable || error instanceof InvalidNetwork)
    return new Problem(error.message.split('\n').map(plain).join('\n'))
  return error
}

function problemOfRefusal(error: Refusal): Problem {
  if (error.reason.startsWith('outbound.')) {
    const { found, fix } = explainFailure(error)
    const where = error.notes.url === undefined ? 'The server cannot be reached' : plain(error.notes.url)
    return new Problem(`${where}: ${found}. To do: ${fix}.`, clientExitCodes.unreachable)
  }
  const { detail } = error.notes
  const next = advice[error.reason]
  const parts = [error.rule.says, detail && `In detail: ${plain(detail)}.`, next]
  return new Problem(parts.filter((part) => part !== undefined && part !== '').join(' '))
}

function wordsOfTokenError(error: TokenEndpointError): string {
  const said = error.description === undefined ? '' : ` It says: ${error.description}`
  const next = error.transient ? ' Nothing that you have was lost; try again later.' : ''
  return `${error.message}.${said}${next}`
}
