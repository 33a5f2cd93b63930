import type { Sighting } from '../sighting.ts'
import type { Trap } from '../trap.ts'

/** What must hold for every client at an honest server; the positive twin of all traps. */
const rules: readonly (readonly [string, (sighting: Sighting, resource: string) => boolean])[] = [
  [
    'it registered without an application_type',
    ({ what, fields }) => what === 'register' && fields['application_type'] === undefined,
  ],
  [
    'its authorization request has no state',
    ({ what, fields }) => what === 'authorize' && fields['hasState'] !== true,
  ],
  [
    'its authorization request has no S256 challenge',
    ({ what, fields }) =>
      what === 'authorize' && (fields['hasChallenge'] !== true || fields['code_challenge_method'] !== 'S256'),
  ],
  [
    'its authorization request names another resource',
    ({ what, fields }, resource) => what === 'authorize' && fields['resource'] !== resource,
  ],
  [
    'its token request names another resource',
    ({ what, fields }, resource) => what === 'token' && fields['resource'] !== resource,
  ],
  [
    'its token request has a wrong verifier',
    ({ what, fields }) => what === 'token' && fields['isProved'] !== true,
  ],
  ['it put a token into a URL', ({ isInUrl }) => isInUrl === true],
]

export const honest: Trap = {
  name: 'honest',
  number: 'CL-20',
  tries: 'nothing: this one is honest',
  safe: 'signs in with state, S256 and the resource, and calls the tool',
  tricks: {},
  fell: (seen, { resource }) =>
    rules.find(([, isBroken]) => seen.some((sighting) => isBroken(sighting, resource)))?.[0],
  isPassable: true,
}
