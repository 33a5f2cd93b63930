import { Problem } from '../problem.ts'

/**
 * Refuses an environment in which Node trusts every certificate, whoever shows it: of a server behind Warder, of a foreign
 * issuer, of a database. Nobody who sets it for another program means that.
 */
export function checkEnvironment(environment: Readonly<Record<string, string | undefined>>): void {
  if (environment['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return
  throw new Problem(
    'NODE_TLS_REJECT_UNAUTHORIZED=0 would make every certificate count as valid. Unset it; to trust one more authority, name its certificate in NODE_EXTRA_CA_CERTS.',
  )
}
