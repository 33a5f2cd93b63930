import type { Grant, Store } from '@warder/store'
import type { Command } from '../command.ts'
import { plain, print, table } from '../output.ts'
import { stateOptions, stateUsage, withStore } from '../with-store.ts'

export const clientList: Command = {
  usage: `client list [--json] ${stateUsage}`,
  options: { json: { says: 'Print one JSON array' }, ...stateOptions },
  examples: ['warder client list', 'warder client list --json'],
  async run(input) {
    return withStore(input, async (store) => {
      const clients = await loadClients(store)
      if (input.switches.has('json')) print(JSON.stringify(clients))
      else if (clients.length === 0) print('No client has asked for access yet.')
      else
        print(
          table(
            clients.map(({ id, name, kind, createdAt, grants, disabled }) => [
              plain(id),
              plain(name) || '(no name)',
              kind,
              createdAt?.slice(0, 10) ?? '',
              `${grants} ${grants === 1 ? 'grant' : 'grants'}`,
              disabled ? 'revoked' : '',
            ]),
            '',
          ),
        )
      return 0
    })
  },
}

interface ListedClient {
  readonly id: string
  /** As it calls itself; nobody has verified that. */
  readonly name: string
  readonly kind: 'self-registered' | 'pre-registered' | 'document'
  /** When it registered here; a document client does not. */
  readonly createdAt: string | undefined
  /** Grants that live. */
  readonly grants: number
  readonly disabled: boolean
}

/** The clients that are registered here, and those that a document describes and somebody has let in. */
async function loadClients(store: Store): Promise<readonly ListedClient[]> {
  const grants = await store.grants.list({})
  const live = (id: string): number =>
    grants.filter(({ clientId, revokedAt }) => clientId === id && revokedAt === undefined).length
  const registered = (await store.clients.list()).map((client): ListedClient => {
    const { clientName } = JSON.parse(client.metadata) as { readonly clientName?: string }
    return {
      id: client.id,
      name: clientName ?? '',
      kind: client.kind,
      createdAt: new Date(client.createdAt).toISOString(),
      grants: live(client.id),
      disabled: client.disabledAt !== undefined,
    }
  })
  const known = new Set(registered.map(({ id }) => id))
  const described = new Map<string, Grant>()
  for (const grant of grants) if (!known.has(grant.clientId)) described.set(grant.clientId, grant)
  return [
    ...registered,
    ...[...described.values()].map(
      ({ clientId, clientName }): ListedClient => ({
        id: clientId,
        name: clientName,
        kind: 'document',
        createdAt: undefined,
        grants: live(clientId),
        disabled: false,
      }),
    ),
  ]
}
