import { note, plain } from '../output.ts'

interface Entry {
  readonly level: 'info' | 'warn' | 'error'
  readonly event: string
  readonly [key: string]: unknown
}

/** Shows the operator what went wrong, as one line on standard error; what goes well stays in the records. */
export function logToTerminal({ level, event, ...facts }: Entry): void {
  if (level === 'info') return
  const rest = Object.keys(facts).length === 0 ? '' : ` ${JSON.stringify(facts)}`
  note(plain(`${level === 'error' ? 'Error' : 'Warning'}: ${event}${rest}`).slice(0, 1_000))
}
