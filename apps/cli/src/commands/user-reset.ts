import { resetPassword } from '@warder/authorization-server'
import type { Command } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { print } from '../output.ts'
import { Problem } from '../problem.ts'
import { readPassword } from '../read-password.ts'
import { stateOptions, stateUsage, withStore } from '../with-store.ts'
import { findUser } from './find-user.ts'
import { refusalInWords } from './refusal-in-words.ts'

export const userReset: Command = {
  usage: `user reset EMAIL [--json] ${stateUsage}`,
  options: { json: { says: 'Print the user as JSON' }, ...stateOptions },
  examples: ['warder user reset alice@example.com', 'warder user reset alice@example.com < password-file'],
  async run(input) {
    const email = oneWord(input, 'say the e-mail address: warder user reset alice@example.com')
    return withStore(input, async (store) => {
      const user = await findUser(store, email)
      const password = await readPassword(`New password for ${user.email}: `)
      const done = await resetPassword(store, { id: user.id, password, now: Date.now() }).catch(
        refusalInWords,
      )
      if (!done) throw new Problem(`there is no user ${email} any more.`)
      if (input.switches.has('json')) print(JSON.stringify({ id: user.id, email: user.email }))
      else
        print(
          `${user.email} has the new password. Sign-ins and grants with the old one have ended; clients ask to sign in again.`,
        )
      return 0
    })
  },
}
