/** What a first look at an MCP server found: enough to propose a policy for it. */
export interface UpstreamFacts {
  readonly tools: readonly InspectedTool[]
  readonly resources: boolean
  /** Names of its prompts. */
  readonly prompts: readonly string[]
  readonly serverInfo: { readonly name: string; readonly version: string; readonly title?: string }
}

/** The part of a tool's definition that says what it is for. Everything in it is the server's own claim. */
export interface InspectedTool {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly annotations?: {
    readonly readOnlyHint?: boolean
    readonly destructiveHint?: boolean
    readonly idempotentHint?: boolean
    readonly openWorldHint?: boolean
  }
}
