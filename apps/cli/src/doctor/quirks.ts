/** What is known of an authorization server whose behaviour surprises clients. */
export interface Quirk {
  readonly name: string
  /** Tells from the issuer whether it is that one. */
  isIt(issuer: URL): boolean
  readonly what: string
  readonly fix: string
}

const hostEnds = (issuer: URL, ...ends: readonly string[]): boolean =>
  ends.some((end) => issuer.hostname === end || issuer.hostname.endsWith(`.${end}`))

/** Small and reviewed: each row was reported by users of several clients. */
const quirks: readonly Quirk[] = [
  {
    name: 'Microsoft Entra ID',
    isIt: (issuer) => hostEnds(issuer, 'login.microsoftonline.com', 'sts.windows.net'),
    what: 'refuses the resource parameter together with scopes (AADSTS9010010), and wants the scope again at each refresh',
    fix: 'leave resource out with --no-resource, and pin the scope: --scope "api://…/.default"; there is no dynamic registration, so name a client by --client-id',
  },
  {
    name: 'Okta',
    isIt: (issuer) => hostEnds(issuer, 'okta.com', 'oktapreview.com', 'okta-emea.com'),
    what: 'lists every scope it knows in its metadata; asking for all of them fails with invalid_scope',
    fix: 'pin the scopes you need by --scope',
  },
  {
    name: 'Auth0',
    isIt: (issuer) => hostEnds(issuer, 'auth0.com'),
    what: 'issues opaque tokens for itself where no API is named as the audience',
    fix: 'create an API whose identifier is the address of the MCP server, and enable resource indicators for the tenant',
  },
  {
    name: 'Slack',
    isIt: (issuer) => hostEnds(issuer, 'slack.com'),
    what: 'answers errors of the token endpoint with status 200',
    fix: 'nothing to do: Warder reads them as errors',
  },
  {
    name: 'Google',
    isIt: (issuer) => hostEnds(issuer, 'accounts.google.com'),
    what: 'registers no clients dynamically, and gives refresh tokens only with access_type=offline',
    fix: 'create a desktop client in the Google console and name it by --client-id',
  },
  {
    name: 'GitHub',
    isIt: (issuer) => hostEnds(issuer, 'github.com'),
    what: 'registers no clients dynamically, and wants a client secret even of programs on a desktop',
    fix: 'create an OAuth app and name it by --client-id and --client-secret-stdin',
  },
  {
    name: 'Keycloak',
    isIt: (issuer) => /\/realms\/[^/]+\/?$/.test(issuer.pathname),
    what: 'puts no audience for an MCP server into tokens unless a client scope with an audience mapper says so',
    fix: 'add an audience mapper with the address of the MCP server to a default client scope',
  },
  {
    name: 'Amazon Cognito',
    isIt: (issuer) => /^cognito-idp\./.test(issuer.hostname) && hostEnds(issuer, 'amazonaws.com'),
    what: 'does not say in its metadata that it supports PKCE, and registers no clients dynamically',
    fix: 'name a client by --client-id; allow its issuer by --dangerously-allow-missing-pkce after you have tried that it refuses a wrong verifier',
  },
]

export function findQuirks(issuer: string): readonly Quirk[] {
  if (!URL.canParse(issuer)) return []
  const url = new URL(issuer)
  return quirks.filter((quirk) => quirk.isIt(url))
}
