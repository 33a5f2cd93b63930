import { makeOwnerLink } from '@warder/authorization-server'
import type { Command } from '../command.ts'
import { print } from '../output.ts'
import { Problem } from '../problem.ts'
import { readAddress } from '../protect/address-file.ts'
import { readOrigin } from '../protect/read-options.ts'
import { findDataDirectory, stateOptions, stateUsage, withStore } from '../with-store.ts'

export const ownerLink: Command = {
  usage: `owner-link [--public-url URL] ${stateUsage}`,
  options: {
    'public-url': { value: 'URL', says: 'Address of the server (default: that of the last start here)' },
    ...stateOptions,
  },
  examples: [
    'warder owner-link',
    'warder owner-link --database postgres://warder@db.example.com/warder --public-url https://mcp.example.com',
  ],
  async run(input) {
    // Whoever reads the link owns the server: it is for eyes, not for a pipe or a log.
    if (process.stdout.isTTY !== true)
      throw new Problem('the owner link goes to a terminal only. Run this in one.')
    return withStore(input, async (store) => {
      if (await store.users.hasOwner()) throw new Problem('this server has an owner already.')
      const given = input.options['public-url']
      const issuer = given === undefined ? readAddress(findDataDirectory(input)) : readOrigin(given)
      print(await makeOwnerLink({ store, issuer, now: Date.now() }))
      print('It works once, for 15 minutes.')
      return 0
    })
  },
}
