import type { UserFetch } from '@warder/outbound'
import { type Knock, knock, legacyInitialize } from '../../knock.ts'
import { explainFailure } from '../explain-failure.ts'
import type { Tell } from '../finding.ts'

const group = 'the way there'

/** Differences that make tokens look expired, or not yet valid. */
const mostSkewMs = 30_000

/** Whether the server answers at all, and whether it has the same time. `undefined`: it cannot be reached. */
export async function checkWayThere(
  server: string,
  fetch: UserFetch,
  tell: Tell,
): Promise<Knock | undefined> {
  try {
    const answer = await knock(fetch, server, legacyInitialize())
    const found = `${new URL(server).host} answers with ${answer.status}`
    tell({ group, check: 'connection', outcome: 'good', found })
    tellClock(answer, tell)
    return answer
  } catch (error) {
    tell({ group, check: 'connection', outcome: 'bad', ...explainFailure(error) })
    return undefined
  }
}

function tellClock({ aheadMs }: Knock, tell: Tell): void {
  if (aheadMs === undefined) {
    tell({ group, check: 'clock', outcome: 'skipped', found: 'the server does not say what time it is' })
    return
  }
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  if (Math.abs(aheadMs) <= mostSkewMs) {
    tell({ group, check: 'clock', outcome: 'good', found: 'the same time here and there' })
    return
  }
  tell({
    group,
    check: 'clock',
    outcome: 'bad',
    found: `the clock here is ${seconds} seconds ${aheadMs > 0 ? 'ahead of' : 'behind'} the server's`,
    fix: 'set the clock of this machine by the network; until then tokens look expired or not yet valid',
  })
}
