import type { Command } from '../command.ts'
import { print, table } from '../output.ts'
import { stateOptions, stateUsage, withStore } from '../with-store.ts'

export const userList: Command = {
  usage: `user list [--json] ${stateUsage}`,
  options: { ...stateOptions, json: { says: 'Print one JSON array' } },
  examples: ['warder user list', 'warder user list --json'],
  async run(input) {
    return withStore(input, async (store) => {
      const users = (await store.users.list()).map((user) => ({
        id: user.id,
        email: user.email,
        role: user.role,
        createdAt: new Date(user.createdAt).toISOString(),
        disabled: user.disabledAt !== undefined,
      }))
      if (input.switches.has('json')) print(JSON.stringify(users))
      else if (users.length === 0) print('Nobody yet: open the owner link that warder protect prints.')
      else
        print(
          table(
            users.map(({ email, role, createdAt, disabled }) => [
              email,
              role,
              createdAt.slice(0, 10),
              disabled ? 'disabled' : '',
            ]),
            '',
          ),
        )
      return 0
    })
  },
}
