import type { JsonObject, McpEra } from '@warder/protocol'

/** What a child said about itself. */
export interface ChildFacts {
  readonly era: McpEra
  readonly capabilities: JsonObject
  readonly serverInfo: { readonly name: string; readonly version: string; readonly title?: string }
  readonly instructions?: string
}
