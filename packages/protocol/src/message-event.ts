/**
 * A message as one event of a stream, from its JSON in one line: JSON has no raw line breaks, so that nothing inside a message can end
 * its event (N21).
 */
export function formatMessageEvent(json: string): string {
  return `event: message\ndata: ${json}\n\n`
}
