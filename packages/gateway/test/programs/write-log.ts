import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { openDecisionLog } from '@warder/gateway'
import { toRefusal } from '@warder/protocol'

/** Records one decision for each line of its input, and says what came of it. */
const log = await openDecisionLog(process.argv[2]!, { secret: randomBytes(32) })
for await (const _ of createInterface({ input: process.stdin })) {
  const answer = await log
    .recordDecision({ outcome: 'open', because: 'x'.repeat(300), server: 'notes' })
    .then(() => 'recorded')
    .catch((error: unknown) => toRefusal(error).reason)
  process.stdout.write(`${answer}\n`)
}
await log.close()
