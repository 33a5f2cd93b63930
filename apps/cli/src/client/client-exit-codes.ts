/** Exit codes of what is done as a client; the same as the MCP Inspector's, so that scripts need no other table. */
export const clientExitCodes = { signInRequired: 3, unreachable: 4 } as const
