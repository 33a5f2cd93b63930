import type { Command, Input } from '../command.ts'
import { print } from '../output.ts'
import { Problem } from '../problem.ts'
import { dataOptions, withStore } from '../with-store.ts'

export const userDisable: Command = {
  name: 'user disable',
  summary: 'Ends all access of a user, at once',
  usage: 'user disable EMAIL [--data DIR] [--policy FILE]',
  options: dataOptions,
  examples: ['warder user disable alice@example.com'],
  run: (input) => setDisabled(input, true),
}

export const userEnable: Command = {
  name: 'user enable',
  summary: 'Lets a disabled user sign in again',
  usage: 'user enable EMAIL [--data DIR] [--policy FILE]',
  options: dataOptions,
  examples: ['warder user enable alice@example.com'],
  run: (input) => setDisabled(input, false),
}

function setDisabled(input: Input, disabled: boolean): Promise<number> {
  const [email] = input.words
  if (email === undefined || input.words.length > 1)
    throw new Problem('say the e-mail address of the user.', 2)
  return withStore(input, async (store) => {
    const user = await store.users.loadByEmail(email.trim().toLowerCase())
    if (user === undefined) throw new Problem(`there is no user ${email}. See: warder user list`)
    await store.users.setDisabled(user.id, disabled, Date.now())
    print(
      disabled ? `${email} is disabled: tokens stop working within a second.` : `${email} may sign in again.`,
    )
    return 0
  })
}
