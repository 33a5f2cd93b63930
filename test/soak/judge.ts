import type { AuditSum } from './audit.ts'
import { type Sample, slopeAnHour } from './measure.ts'

/** One line of the result. */
export interface Verdict {
  readonly what: string
  readonly value: string
  readonly bound: string
  readonly ok: boolean
}

export interface Seen {
  readonly minutes: number
  readonly requests: number
  readonly excused: number
  readonly violations: readonly string[]
  readonly audit: AuditSum
  /** From the first idle moment after the warm-up. */
  readonly samples: readonly Sample[]
  /** Idle, before and after the load. */
  readonly idle: { readonly before: Sample; readonly after: Sample }
  readonly leftovers: number
  readonly exitCode: number | null
  /** What `warder log verify` says of the whole log. */
  readonly logVerified: boolean
}

const heapSlopeBound = 30
/** Below that a slope is noise. */
const shortestForSlope = 10

export function judge(seen: Seen): Verdict[] {
  const { audit, idle } = seen
  const none = (what: string, count: number): Verdict => ({
    what,
    value: String(count),
    bound: '0',
    ok: count === 0,
  })
  return [
    none('violations (double use, byte of another user, unexpected answer)', seen.violations.length),
    none('calls answered or served without a record', audit.unaudited),
    none('calls recorded twice', audit.repeated),
    none('decisions without an outcome', audit.withoutOutcome.length),
    none('records lost or repaired', audit.lost),
    {
      what: 'calls that failed while their server was disturbed',
      value: String(seen.excused),
      bound: 'at most 5 % of all',
      ok: seen.excused <= seen.requests * 0.05,
    },
    heapVerdict(seen),
    processVerdict(seen),
    {
      what: 'open files, idle, before and after',
      value: `${idle.before.files} → ${idle.after.files}`,
      bound: 'at most 8 more',
      ok: idle.after.files <= idle.before.files + 8,
    },
    {
      what: 'child processes, idle, before and after',
      value: `${idle.before.children} → ${idle.after.children}`,
      bound: 'no more',
      ok: idle.after.children <= idle.before.children,
    },
    none('children left after the end', seen.leftovers),
    {
      what: 'the log verifies',
      value: seen.logVerified ? 'yes' : 'no',
      bound: 'yes',
      ok: seen.logVerified,
    },
    { what: 'exit code', value: String(seen.exitCode), bound: '0', ok: seen.exitCode === 0 },
  ]
}

function heapVerdict({ samples, minutes }: Seen): Verdict {
  const points = samples.flatMap(({ at, heap }) => (heap === undefined ? [] : [{ at, value: heap }]))
  // The first fifth is the warm-up: caches fill, code is compiled.
  const late = points.slice(Math.floor(points.length / 5))
  const slope = slopeAnHour(late)
  const isJudged = minutes >= shortestForSlope
  return {
    what: 'memory in use after a collection (MB an hour), after the warm-up',
    value: late.length === 0 ? 'not seen' : `${slope.toFixed(1)} (now ${late.at(-1)?.value.toFixed(1)} MB)`,
    bound: isJudged ? `at most ${heapSlopeBound}` : `judged from ${shortestForSlope} minutes on`,
    ok: !isJudged || slope <= heapSlopeBound,
  }
}

/** Against the middle and not the beginning: a runtime keeps what it once needed, and caches fill up to their bound. */
function processVerdict({ samples, minutes }: Seen): Verdict {
  const middle = samples[Math.floor(samples.length / 2)]?.rss ?? Number.NaN
  const end = samples.at(-1)?.rss ?? Number.NaN
  const isJudged = minutes >= shortestForSlope
  return {
    what: 'memory of the process (MB), in the middle and at the end',
    value: `${middle.toFixed(0)} → ${end.toFixed(0)}`,
    bound: isJudged ? 'at most a tenth more' : `judged from ${shortestForSlope} minutes on`,
    ok: !isJudged || end <= middle * 1.1,
  }
}
