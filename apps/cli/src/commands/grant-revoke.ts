import { createInterface } from 'node:readline/promises'
import type { Store } from '@warder/store'
import type { Command, Input } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { print } from '../output.ts'
import { Problem } from '../problem.ts'
import { stateOptions, stateUsage, withStore } from '../with-store.ts'

export const grantRevoke: Command = {
  usage: `grant revoke ID | --all [--yes] [--json] ${stateUsage}`,
  options: {
    all: { says: 'Every grant, sign-in and session of everybody: after a backup was restored' },
    yes: { says: 'With --all: do not ask' },
    json: { says: 'Print what ended as JSON' },
    ...stateOptions,
  },
  examples: ['warder grant revoke wgr_lkDcgQnBcNCpW1vZxmIfRA', 'warder grant revoke --all --yes'],
  async run(input) {
    if (input.switches.has('all')) return revokeAll(input)
    if (input.switches.has('yes')) throw new Problem('--yes goes with --all.', 2)
    const id = oneWord(input, 'say which grant: warder grant revoke ID. See: warder grant list')
    return withStore(input, (store) => revokeOne(store, id, input.switches.has('json')))
  },
}

async function revokeOne(store: Store, id: string, json: boolean): Promise<number> {
  const grant = await store.grants.load(id)
  if (grant === undefined)
    throw new Problem(`there is no grant ${JSON.stringify(id)}. See: warder grant list`)
  // With the remembered yes, or a client that nobody has to be asked for again would be back at once.
  const { userId } = grant
  const ended = await store.grants.revokeAndForget({ id, userId, because: 'operator', now: Date.now() })
  if (!ended) throw new Problem('that grant has ended already.')
  if (json) print(JSON.stringify({ id, ended: true }))
  else print('The grant has ended: its tokens stop working within a second.')
  return 0
}

/** A restored database brings revoked grants and used tokens back to life; this ends all of them (V11). */
async function revokeAll(input: Input): Promise<number> {
  if (input.words.length > 0) throw new Problem('give an ID or --all, not both.', 2)
  return withStore(input, async (store) => {
    if (!input.switches.has('yes')) await confirm('End the access of all users and clients?')
    const ended = await store.grants.revokeAll({ because: 'operator', now: Date.now() })
    if (input.switches.has('json')) print(JSON.stringify({ ended }))
    else
      print(
        `${ended} ${ended === 1 ? 'grant has' : 'grants have'} ended, and every sign-in. Tokens stop working within a second; everybody signs in again.`,
      )
    return 0
  })
}

async function confirm(question: string): Promise<void> {
  if (process.stdin.isTTY !== true) throw new Problem('this ends all access. Say that you mean it: --yes', 2)
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await reader.question(`${question} [y/N] `)
  reader.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new Problem('nothing was changed.')
}
