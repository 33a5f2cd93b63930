import type { Refusal } from '@warder/protocol'
import type { LogEntry } from './options.ts'

/** Tells the operator of a refusal: the reason and its detail, and where it happened. Trouble of our own is an error. */
export function logRefusal(
  log: (entry: LogEntry) => void,
  refusal: Refusal,
  context: Readonly<Record<string, string>>,
): void {
  const { reason, rule, notes } = refusal
  log({
    level: rule.status >= 500 ? 'error' : 'info',
    event: 'refused',
    reason,
    ...(notes.detail === undefined ? {} : { detail: notes.detail }),
    ...(rule.status >= 500 && notes.cause !== undefined ? { cause: String(notes.cause) } : {}),
    ...context,
  })
}
