interface ToolCall {
  readonly id: unknown
  readonly params: { readonly arguments: { readonly message: string } }
}

/** What the smallest MCP server says to `tools/call` of `echo`, as JSON. */
export function echo(call: unknown): string {
  const { id, params } = call as ToolCall
  const content = [{ type: 'text', text: `Echo: ${params.arguments.message}` }]
  return JSON.stringify({ jsonrpc: '2.0', id, result: { content } })
}
