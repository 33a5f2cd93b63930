import { type ClientOptions, clientCredentialsWay, enterpriseWay, workloadWay } from '@warder/client'

/** What the suite hands to a scenario, by the names in its context. */
export type ScenarioContext = Readonly<Record<string, string>>

type Differs = Partial<Pick<ClientOptions, 'way' | 'registration'>>

const of = (context: ScenarioContext, name: string): string => {
  const value = context[name]
  if (value === undefined) throw new Error(`the suite gave no ${name}`)
  return value
}

const extensions: Readonly<Record<string, (context: ScenarioContext) => Differs>> = {
  'auth/client-credentials-jwt': (context) => ({
    way: clientCredentialsWay(),
    registration: {
      clientId: of(context, 'client_id'),
      assertionKey: { key: of(context, 'private_key_pem'), alg: of(context, 'signing_algorithm') },
    },
  }),
  'auth/client-credentials-basic': (context) => ({
    way: clientCredentialsWay(),
    registration: { clientId: of(context, 'client_id'), clientSecret: of(context, 'client_secret') },
  }),
  'auth/enterprise-managed-authorization': (context) => ({
    way: enterpriseWay({
      provider: {
        issuer: of(context, 'idp_issuer'),
        tokenEndpoint: of(context, 'idp_token_endpoint'),
        client: { clientId: of(context, 'idp_client_id') },
      },
      subject: { type: 'id_token', token: { read: () => of(context, 'idp_id_token') } },
    }),
    registration: { clientId: of(context, 'client_id'), clientSecret: of(context, 'client_secret') },
  }),
  'auth/wif-jwt-bearer': (context) => ({
    way: workloadWay({ token: { read: () => of(context, 'valid_jwt') } }),
  }),
}

/**
 * How a client for one of the extension scenarios differs from the one that signs in by a browser. `auth/dpop` and
 * `auth/dpop-nonce` do not: the server's challenge says what is needed.
 */
export function extensionOptions(scenario: string, context: ScenarioContext): Differs {
  return extensions[scenario]?.(context) ?? {}
}
