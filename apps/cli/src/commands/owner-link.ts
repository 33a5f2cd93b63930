import { makeOwnerLink } from '@warder/authorization-server'
import { openStore } from '@warder/store'
import type { Command } from '../command.ts'
import { print } from '../output.ts'
import { Problem } from '../problem.ts'
import { readAddress } from '../protect/address-file.ts'
import { dataOptions, dataUsage, findDataDirectory } from '../with-store.ts'

export const ownerLink: Command = {
  usage: `owner-link ${dataUsage}`,
  options: dataOptions,
  examples: ['warder owner-link'],
  async run(input) {
    // Whoever reads the link owns the server: it is for eyes, not for a pipe or a log.
    if (process.stdout.isTTY !== true)
      throw new Problem('the owner link goes to a terminal only. Run this in one.')
    const directory = findDataDirectory(input)
    const store = await openStore({ file: directory.database })
    try {
      if (await store.users.hasOwner()) throw new Problem('this server has an owner already.')
      print(await makeOwnerLink({ store, issuer: readAddress(directory), now: Date.now() }))
      print('It works once, for 15 minutes.')
      return 0
    } finally {
      await store.close()
    }
  },
}
