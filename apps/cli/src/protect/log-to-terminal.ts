import { note, plain } from '../output.ts'

interface Entry {
  readonly level: 'info' | 'warn' | 'error'
  readonly event: string
  readonly [key: string]: unknown
}

const words = { info: 'Note', warn: 'Warning', error: 'Error' } as const

/** Shows the operator what went wrong, as one line on standard error; what goes well stays in the records. */
export function logToTerminal(entry: Entry): void {
  if (entry.level !== 'info') show(entry)
}

/** Longer lines are cut, so what people look for comes first. */
function show({ level, event, reference, ...facts }: Entry): void {
  const about = typeof reference === 'string' ? ` (reference ${reference})` : ''
  const rest = Object.keys(facts).length === 0 ? '' : ` ${JSON.stringify(facts)}`
  note(plain(`${words[level]}: ${event}${about}${rest}`).slice(0, 1_000))
}

const minute = 60_000
const shownOfReason = 10

/**
 * Shows also what was refused with a reference: somebody sees a page that says so and asks the operator.
 * Strangers can cause it, so of each reason ten a minute are shown and the others counted, like junk in the log
 * of decisions.
 */
export function createRefusalLog(): (entry: Entry) => void {
  const counts = new Map<string, number>()

  function tellRest(): void {
    for (const [reason, count] of counts) {
      if (count > shownOfReason)
        show({ level: 'info', event: 'refused', reason, more: count - shownOfReason })
    }
    counts.clear()
  }

  return (entry) => {
    if (entry.level !== 'info' || entry['reference'] === undefined) return logToTerminal(entry)
    if (counts.size === 0) setTimeout(tellRest, minute).unref()
    const reason = String(entry['reason'])
    const count = (counts.get(reason) ?? 0) + 1
    counts.set(reason, count)
    if (count <= shownOfReason) show(entry)
  }
}
