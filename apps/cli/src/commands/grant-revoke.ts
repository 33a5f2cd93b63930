import type { Command } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { print } from '../output.ts'
import { Problem } from '../problem.ts'
import { dataOptions, dataUsage, withStore } from '../with-store.ts'

export const grantRevoke: Command = {
  usage: `grant revoke ID [--json] ${dataUsage}`,
  options: { json: { says: 'Print what ended as JSON' }, ...dataOptions },
  examples: ['warder grant revoke wgr_lkDcgQnBcNCpW1vZxmIfRA'],
  async run(input) {
    const id = oneWord(input, 'say which grant: warder grant revoke ID. See: warder grant list')
    return withStore(input, async (store) => {
      const grant = await store.grants.load(id)
      if (grant === undefined)
        throw new Problem(`there is no grant ${JSON.stringify(id)}. See: warder grant list`)
      // With the remembered yes, or a client that nobody has to be asked for again would be back at once.
      const { userId } = grant
      const ended = await store.grants.revokeAndForget({
        id,
        userId,
        because: 'operator',
        now: Date.now(),
      })
      if (!ended) throw new Problem('that grant has ended already.')
      if (input.switches.has('json')) print(JSON.stringify({ id, ended: true }))
      else print('The grant has ended: its tokens stop working within a second.')
      return 0
    })
  },
}
