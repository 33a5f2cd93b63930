/** A policy of the sample server with one basic and one dangerous scope; all other tools are denied. `upstream` is its `run` or `url` line. */
export const samplePolicy = (upstream: string): string => `
version: 1
servers:
  everything:
    ${upstream}
    scopes:
      everything:read: { title: Use the harmless tools, basic: true }
      everything:env: { title: Read the environment of the server, implies: [everything:read], risk: high }
    tools:
      - { match: echo, scopes: [everything:read] }
      - { match: get-sum, scopes: [everything:read] }
      - { match: get-env, scopes: [everything:env] }
access:
  - who: { user: owner }
    client: any
    may: [everything:read, everything:env]
`
