import { addUser } from '@warder/authorization-server'
import type { Command } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { note, print } from '../output.ts'
import { Problem } from '../problem.ts'
import { readPassword } from '../read-password.ts'
import { stateOptions, stateUsage, withStore } from '../with-store.ts'
import { refusalInWords } from './refusal-in-words.ts'

export const userAdd: Command = {
  usage: `user add EMAIL [--json] ${stateUsage}`,
  options: { json: { says: 'Print the user as JSON' }, ...stateOptions },
  examples: ['warder user add alice@example.com', 'warder user add alice@example.com < password-file'],
  async run(input) {
    const given = oneWord(input, 'say the e-mail address: warder user add alice@example.com')
    return withStore(input, async (store) => {
      const password = await readPassword(`Password for ${given}: `)
      const user = await addUser(store, { email: given, password, now: Date.now() }).catch(refusalInWords)
      if (user === 'taken') throw new Problem(`${given} is a user already.`)
      if (input.switches.has('json')) {
        print(JSON.stringify(user))
        return 0
      }
      print(`${user.email} may sign in now.`)
      note('What the user may do stands in the policy file: add a row under access, such as')
      note(`  - { who: { user: ${user.email} }, client: any, may: [SCOPE] }`)
      return 0
    })
  },
}
