import type { AsyncCommand } from 'fast-check'
import { expect } from 'vitest'
import { checkInvariants } from './invariants.ts'
import type { Model } from './model.ts'
import type { World } from './world.ts'

export type Command = AsyncCommand<Model, World>

/** Something of a list by a random number, or nothing of an empty one. */
export function pick<T>(list: readonly T[], at: number): T | undefined {
  return list.length === 0 ? undefined : list[at % list.length]
}

/**
 * One step, on the model and on the real thing. `run` compares the answer and says which events this makes: exactly those must
 * stand in the store afterwards, each once. What holds after every step is checked then.
 */
export function command(
  says: string,
  check: (m: Model) => boolean,
  run: (m: Model, world: World) => Promise<readonly string[]>,
): Command {
  return {
    check,
    toString: () => says,
    async run(m, world) {
      const before = await lastEvent(world)
      world.statuses.length = 0
      const expected = await run(m, world)
      expect(Math.max(0, ...world.statuses), 'no answer is 5xx').toBeLessThan(500)
      const events = await world.w.store.events.listAfter(before, 1000)
      expect(events.map(({ kind }) => kind).toSorted(), 'events').toEqual(expected.toSorted())
      await checkInvariants(m, world)
    },
  }
}

async function lastEvent({ w }: World): Promise<number> {
  let last = 0
  for (;;) {
    const events = await w.store.events.listAfter(last, 1000)
    last = events.at(-1)?.number ?? last
    if (events.length < 1000) return last
  }
}
