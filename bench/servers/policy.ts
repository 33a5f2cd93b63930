/** One server with one tool. */
export const policyText = `version: 1
servers:
  echo:
    url: http://127.0.0.1:1/mcp
    scopes: { echo:use: { title: Use it, basic: true } }
    tools: [{ match: echo, scopes: [echo:use] }]
access:
  - { who: { user: ann }, client: any, may: [echo:use] }
`
