import type { Command } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { note, plain, print } from '../output.ts'
import { Problem } from '../problem.ts'
import { stateOptions, stateUsage, withStore } from '../with-store.ts'

export const clientRevoke: Command = {
  usage: `client revoke ID [--json] ${stateUsage}`,
  options: { json: { says: 'Print what ended as JSON' }, ...stateOptions },
  examples: [
    'warder client revoke wcl_0LbsHj75JI9xGTW-uu_EvQ',
    'warder client revoke https://client.example.com/metadata.json',
  ],
  async run(input) {
    const id = oneWord(input, 'say which client: warder client revoke ID. See: warder client list')
    return withStore(input, async (store) => {
      const isKnown =
        (await store.clients.load(id)) !== undefined || (await store.grants.list({ clientId: id })).length > 0
      if (!isKnown) throw new Problem(`there is no client ${plain(id)}. See: warder client list`)
      const { isDisabled, endedGrants } = await store.clients.revoke(id, Date.now())
      if (input.switches.has('json')) {
        print(JSON.stringify({ id, disabled: isDisabled, endedGrants }))
        return 0
      }
      print(
        `${plain(id)} is out: ${endedGrants} ${endedGrants === 1 ? 'grant' : 'grants'} ended, and tokens stop working within a second.`,
      )
      if (!isDisabled) {
        note(
          'Its document describes it, not this server: it may ask again. To forbid that, add under access:',
        )
        note(`  - { who: anyone, client: ${JSON.stringify(id)}, never: [SCOPE] }`)
      }
      return 0
    })
  },
}
