import type { Grant, Store } from '@warder/store'
import type { Command } from '../command.ts'
import { plain, print, table } from '../output.ts'
import { stateOptions, stateUsage, withStore } from '../with-store.ts'
import { findUser } from './find-user.ts'

export const grantList: Command = {
  usage: `grant list [--user EMAIL] [--client ID] [--all] [--json] ${stateUsage}`,
  options: {
    user: { value: 'EMAIL', says: 'Only those of this user' },
    client: { value: 'ID', says: 'Only those of this client' },
    all: { says: 'Also those that have ended' },
    json: { says: 'Print one JSON array' },
    ...stateOptions,
  },
  examples: [
    'warder grant list',
    'warder grant list --user alice@example.com',
    'warder grant list --all --json',
  ],
  async run(input) {
    const { user: email, client } = input.options
    return withStore(input, async (store) => {
      const user = email === undefined ? undefined : await findUser(store, email)
      const grants = await store.grants.list({
        ...(user === undefined ? {} : { userId: user.id }),
        ...(client === undefined ? {} : { clientId: client }),
        ...(input.switches.has('all') ? {} : { live: true }),
      })
      const listed = await describe(store, grants)
      if (input.switches.has('json')) print(JSON.stringify(listed))
      else if (listed.length === 0) print('There are no such grants.')
      else
        print(
          table(
            listed.map(({ id, user, client, clientName, resource, scopes, createdAt, ended }) => [
              id,
              plain(user),
              plain(clientName === '' ? client : `${clientName} (${client})`),
              resource,
              scopes.join(' '),
              createdAt.slice(0, 10),
              ended === undefined ? '' : `ended: ${ended}`,
            ]),
            '',
          ),
        )
      return 0
    })
  },
}

interface ListedGrant {
  readonly id: string
  readonly user: string
  readonly client: string
  /** As the client calls itself; nobody has verified that. */
  readonly clientName: string
  readonly resource: string
  readonly scopes: readonly string[]
  readonly createdAt: string
  /** Why it ended; undefined while it lives. */
  readonly ended: string | undefined
}

async function describe(store: Store, grants: readonly Grant[]): Promise<readonly ListedGrant[]> {
  const emails = new Map((await store.users.list()).map(({ id, email }) => [id, email]))
  return grants.map((grant) => ({
    id: grant.id,
    user: emails.get(grant.userId) ?? grant.userId,
    client: grant.clientId,
    clientName: grant.clientName,
    resource: grant.resource,
    scopes: grant.scopes,
    createdAt: new Date(grant.createdAt).toISOString(),
    ended: grant.revokedBecause,
  }))
}
