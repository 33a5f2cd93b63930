import { addUser } from '@warder/authorization-server'
import { Refusal } from '@warder/protocol'
import type { Command } from '../command.ts'
import { note, print } from '../output.ts'
import { Problem } from '../problem.ts'
import { readPassword } from '../read-password.ts'
import { dataOptions, withStore } from '../with-store.ts'

export const userAdd: Command = {
  name: 'user add',
  summary: 'Adds a user who may sign in',
  usage: 'user add EMAIL [--json] [--data DIR] [--policy FILE]',
  options: { json: { says: 'Print the user as JSON' }, ...dataOptions },
  examples: ['warder user add alice@example.com', 'warder user add alice@example.com < password-file'],
  async run(input) {
    const [given] = input.words
    if (given === undefined || input.words.length > 1) {
      throw new Problem('say the e-mail address: warder user add alice@example.com', 2)
    }
    return withStore(input, async (store) => {
      const password = await readPassword(`Password for ${given}: `)
      const user = await addUser(store, { email: given, password, now: Date.now() }).catch(inWords)
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

function inWords(error: unknown): never {
  if (!(error instanceof Refusal)) throw error
  if (error.reason === 'password.weak') throw new Problem('the password must have at least 12 characters.')
  throw new Problem(error.rule.says)
}
