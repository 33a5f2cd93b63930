import { count } from '../sighting.ts'
import type { Trap } from '../trap.ts'

/** The code of a wrong answer must not go to any token endpoint. */
const sentCode: Trap['fell'] = (seen) =>
  count(seen, 'token') > 0 ? 'it sent the code to a token endpoint' : undefined

type Callback = NonNullable<Trap['tricks']['callback']>

const wrongAnswer = (name: string, number: string, tries: string, callback: Callback): Trap => ({
  name,
  number,
  tries,
  safe: 'drops the answer',
  tricks: { callback },
  fell: sentCode,
})

const without = (
  fields: Readonly<Record<string, unknown>>,
  name: string,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name))

export const signIn: readonly Trap[] = [
  wrongAnswer('iss-missing', 'Q04', 'an answer without the iss that was announced', (honest) =>
    without(honest, 'iss'),
  ),
  wrongAnswer('iss-wrong', 'Q04', 'an answer of another issuer', (honest, { other }) => ({
    ...honest,
    iss: other,
  })),
  wrongAnswer('iss-slash', 'Q04', 'an answer whose iss differs by a slash', (honest, { base }) => ({
    ...honest,
    iss: `${base}/`,
  })),
  wrongAnswer(
    'iss-encoded',
    'Q04',
    'an answer whose iss is percent-encoded once more',
    (honest, { base }) => ({
      ...honest,
      iss: base.replace(/[a-z]$/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    }),
  ),
  {
    ...wrongAnswer(
      'iss-unexpected',
      'Q04',
      'an iss of somebody else that was not announced',
      (honest, { other }) => ({
        ...honest,
        iss: other,
      }),
    ),
    tricks: {
      serverMetadata: (honest) => ({
        body: { ...honest, authorization_response_iss_parameter_supported: undefined },
      }),
      callback: (honest, { other }) => ({ ...honest, iss: other }),
    },
  },
  wrongAnswer(
    'error-of-another',
    'Q04',
    'an error of another issuer, with a lure as its description',
    (honest, { other }) => ({
      state: honest['state'],
      iss: other,
      error: 'access_denied',
      error_description: 'Sign in at evil.example instead',
      code: honest['code'],
    }),
  ),
  wrongAnswer('state-wrong', 'CL-63', 'an answer with another state', (honest) => ({
    ...honest,
    state: 'somebody-elses',
  })),
  wrongAnswer('state-missing', 'CL-63', 'an answer without a state', (honest) => without(honest, 'state')),
  {
    name: 'mix-up',
    number: 'Q22',
    tries: 'the authorization page of an honest issuer, but a token endpoint of its own',
    safe: 'sees that the answer comes from another issuer and keeps the code',
    tricks: {
      serverMetadata: (honest, { other }) => ({
        body: {
          ...honest,
          authorization_endpoint: `${other}/authorize`,
          authorization_response_iss_parameter_supported: undefined,
        },
      }),
    },
    fell: sentCode,
  },
  {
    name: 'changed-registration',
    number: 'Q21',
    tries: 'a registration that comes back with another redirect URI',
    safe: 'does not use it',
    tricks: {
      registration: (honest, { other }) => ({ ...honest, redirect_uris: [`${other}/bait`] }),
    },
    fell: (seen) => (count(seen, 'authorize') > 0 ? 'it went on with the changed registration' : undefined),
  },
  {
    name: 'nameless-registration',
    number: 'Q21',
    tries: 'a registration that comes back without a client id',
    safe: 'does not go on',
    tricks: { registration: (honest) => without(honest, 'client_id') },
    fell: (seen) => (count(seen, 'authorize') > 0 ? 'it went on without a client id' : undefined),
  },
  {
    name: 'other-server-later',
    number: 'Q11',
    tries: 'names another authorization server as soon as the client is signed in',
    safe: 'registers there anew, and shows the first registration to nobody else',
    tricks: {
      resourceMetadata: (honest, { other }, seen) => ({
        body: count(seen, 'token', 'main') === 0 ? honest : { ...honest, authorization_servers: [other] },
      }),
      message: (method, _, seen) =>
        method === 'tools/call' && count(seen, 'token', 'other') === 0
          ? { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } }
          : undefined,
    },
    fell: (seen) =>
      seen.some(({ at, fields }) => at === 'other' && String(fields['client_id'] ?? '').startsWith('main-'))
        ? 'it showed its client id of the first issuer to the second'
        : undefined,
    isPassable: true,
  },
]
