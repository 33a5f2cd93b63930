/** What a server says about one of its tools, as far as scopes are judged by it. None of it is proven. */
export interface ToolFacts {
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly annotations?:
    | {
        readonly readOnlyHint?: boolean | undefined
        readonly destructiveHint?: boolean | undefined
        readonly idempotentHint?: boolean | undefined
        readonly openWorldHint?: boolean | undefined
      }
    | undefined
}
