import type { Trap } from '../trap.ts'
import { discovery } from './discovery.ts'
import { honest } from './honest.ts'
import { signIn } from './sign-in.ts'
import { tokens } from './tokens.ts'

/** All of them; the honest one comes first, since a client that fails there cannot be judged. */
export const traps: readonly Trap[] = [honest, ...discovery, ...signIn, ...tokens]
