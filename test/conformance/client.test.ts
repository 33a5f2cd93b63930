import { describe, expect, test } from 'vitest'
import { runClientScenario } from './client-run.ts'

/** Scenarios of the revisions from 2025-11-25 on, by what the client must do. */
const base = [
  'metadata-default',
  'metadata-var1',
  'metadata-var2',
  'metadata-var3',
  'basic-cimd',
  'scope-from-www-authenticate',
  'scope-from-scopes-supported',
  'scope-omitted-when-undefined',
  'scope-step-up',
  'scope-retry-limit',
  'token-endpoint-auth-basic',
  'token-endpoint-auth-post',
  'token-endpoint-auth-none',
  'pre-registration',
]

const newest = [
  'resource-mismatch',
  'offline-access-scope',
  'offline-access-not-supported',
  'authorization-server-migration',
  'iss-supported',
  'iss-not-advertised',
  'iss-supported-missing',
  'iss-wrong-issuer',
  'iss-unexpected',
  'iss-normalized',
  'metadata-issuer-mismatch',
]

const extensions = [
  'client-credentials-jwt',
  'client-credentials-basic',
  'enterprise-managed-authorization',
  'dpop',
  'dpop-nonce',
  'wif-jwt-bearer',
]

/** In these the client must give up, and this is why. */
const givesUp: Readonly<Record<string, string>> = {
  'resource-mismatch': 'resource-metadata.resource',
  'iss-supported-missing': 'callback.issuer',
  'iss-wrong-issuer': 'callback.issuer',
  'iss-unexpected': 'callback.issuer',
  'iss-normalized': 'callback.issuer',
  'metadata-issuer-mismatch': 'server-metadata.issuer',
  'scope-retry-limit': 'step-up.denied',
}

const runs: Readonly<Record<string, readonly string[]>> = {
  '2026-07-28': [...base, ...newest, ...extensions],
  '2025-11-25': [...base, ...extensions],
  '2025-06-18': ['token-endpoint-auth-basic', 'token-endpoint-auth-post', 'token-endpoint-auth-none'],
  '2025-03-26': ['2025-03-26-oauth-metadata-backcompat', '2025-03-26-oauth-endpoint-fallback'],
}

describe('the official conformance suite, client: each scenario singly, without failure and without warning', () => {
  describe.each(Object.keys(runs))('revision %s', (revision) => {
    test.each(runs[revision] ?? [])('auth/%s', async (scenario) => {
      const { exitCode, succeeded, others, out } = await runClientScenario(`auth/${scenario}`, revision)
      expect({ exitCode, others }, out).toEqual({ exitCode: 0, others: [] })
      expect(succeeded).toBeGreaterThan(0)
      const reason = givesUp[scenario]
      expect(out.includes('Client exited with code 1'), out).toBe(reason !== undefined)
      if (reason !== undefined) expect(out).toContain(`"refusal":"${reason}"`)
    })
  })
})
