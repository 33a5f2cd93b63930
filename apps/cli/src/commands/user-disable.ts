import type { Command, Input } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { print } from '../output.ts'
import { stateOptions, stateUsage, withStore } from '../with-store.ts'
import { findUser } from './find-user.ts'

export const userDisable: Command = {
  usage: `user disable EMAIL [--json] ${stateUsage}`,
  options: { json: { says: 'Print the user as JSON' }, ...stateOptions },
  examples: ['warder user disable alice@example.com'],
  run: (input) => setDisabled(input, true),
}

export const userEnable: Command = {
  usage: `user enable EMAIL [--json] ${stateUsage}`,
  options: { json: { says: 'Print the user as JSON' }, ...stateOptions },
  examples: ['warder user enable alice@example.com'],
  run: (input) => setDisabled(input, false),
}

function setDisabled(input: Input, disabled: boolean): Promise<number> {
  const email = oneWord(input, 'say the e-mail address of the user.')
  return withStore(input, async (store) => {
    const user = await findUser(store, email)
    await store.users.setDisabled(user.id, disabled, Date.now())
    if (input.switches.has('json')) print(JSON.stringify({ id: user.id, email: user.email, disabled }))
    else
      print(
        disabled
          ? `${user.email} is disabled: tokens stop working within a second.`
          : `${user.email} may sign in again.`,
      )
    return 0
  })
}
