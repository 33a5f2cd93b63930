import fc from 'fast-check'
import type { Documents } from '../../packages/authorization-server/test/documents.ts'
import { allCommands } from './all-commands.ts'
import { answerCommand, askCommand, documentClient, registerCommand } from './commands/sign-in.ts'
import { redeemCommand } from './commands/tokens.ts'
import { newModel } from './model.ts'
import { openWorld, type Sabotage } from './world.ts'

/** Each run begins with a family of tokens of either client: random steps alone seldom get so far. */
const beginning = [
  registerCommand(),
  ...[0, 1].flatMap((client) => [
    askCommand({ client, tab: 0, user: 0, asked: ['notes:read', 'notes:write'] }),
    answerCommand(0, 'allow', ['notes:read', 'notes:write']),
    redeemCommand(0, 'none'),
  ]),
]

/**
 * Runs random commands on the model and on a real server. What fails is shrunk, and the error tells the seed and the path: give
 * them to `fc.assert` as `seed`, `path` and to `fc.commands` as `replayPath` to see that one run again.
 */
export async function runModel(
  documents: Documents,
  settings: fc.Parameters<unknown> & { readonly sabotage?: Sabotage },
): Promise<void> {
  const commands = fc.commands(allCommands, { maxCommands: 100, size: 'max' })
  const { sabotage, ...parameters } = settings
  const property = fc.asyncProperty(commands, async (sequence) => {
    const world = await openWorld(documents, sabotage)
    try {
      const m = newModel(world.w.clock.now)
      m.clients.push(documentClient(world))
      for (const address of ['198.51.100.1', '198.51.100.2']) {
        m.browsers.push({ browser: world.w.browser(address), session: undefined, rotations: 0 })
      }
      for (const step of beginning) await step.run(m, world)
      await fc.asyncModelRun(() => ({ model: m, real: world }), sequence)
    } finally {
      await world.end()
    }
  })
  await fc.assert(property as fc.IAsyncProperty<unknown>, parameters)
}
