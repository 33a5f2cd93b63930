/** The id of a JSON-RPC request as MCP allows it: a string or an integer. */
export type JsonRpcId = string | number

/** A JSON-RPC error response (JSON-RPC 2.0 section 5). */
export interface JsonRpcErrorResponse {
  readonly jsonrpc: '2.0'
  readonly id: JsonRpcId | null
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** A JSON-RPC error response; without an id that could be read, the id is null. */
export function jsonRpcError(
  id: JsonRpcId | null | undefined,
  code: number,
  message: string,
  data?: unknown,
): JsonRpcErrorResponse {
  return {
    jsonrpc: '2.0',
    id: id ?? null,
    error: data === undefined ? { code, message } : { code, message, data },
  }
}
