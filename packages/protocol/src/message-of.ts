/** The words of whatever was thrown. For persons who run Warder: of a refusal, peers get what its rule says and no more. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
