import type fc from 'fast-check'
import type { Command } from './command.ts'
import { visiting } from './commands/account.ts'
import {
  disabling,
  enabling,
  resetting,
  revokingAll,
  revokingClient,
  revokingGrant,
} from './commands/operator.ts'
import { answering, asking, registering } from './commands/sign-in.ts'
import { giving, redeeming, refreshing } from './commands/tokens.ts'
import { restarting, sweeping, waiting } from './commands/world.ts'

const weighed: readonly [number, fc.Arbitrary<Command>][] = [
  [4, registering],
  [16, asking],
  [28, answering],
  [22, redeeming],
  [70, refreshing],
  [5, giving],
  [12, visiting],
  [1, disabling],
  [5, enabling],
  [1, resetting],
  [1, revokingClient],
  [3, revokingGrant],
  [1, revokingAll],
  [24, waiting],
  [8, restarting],
  [9, sweeping],
]

/** Each kind of command as often as its weight: the way to a family of tokens is long, and ends come seldom. */
export const allCommands: fc.Arbitrary<Command>[] = weighed.flatMap(([weight, arbitrary]) =>
  Array.from({ length: weight }, () => arbitrary),
)
