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
      if (!(await store.grants.revoke(id, 'operator', Date.now()))) {
        throw new Problem(
          (await store.grants.load(id)) === undefined
            ? `there is no grant ${JSON.stringify(id)}. See: warder grant list`
            : 'that grant has ended already.',
        )
      }
      if (input.switches.has('json')) print(JSON.stringify({ id, ended: true }))
      else print('The grant has ended: its tokens stop working within a second.')
      return 0
    })
  },
}
