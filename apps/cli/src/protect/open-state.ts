import { checkSecret } from '@warder/authorization-server'
import { Refusal } from '@warder/protocol'
import { openStore, type Store } from '@warder/store'
import type { DataDirectory } from '../data-directory.ts'
import { openDatabase } from '../database.ts'
import { Problem } from '../problem.ts'
import type { OpenParts } from './open-parts.ts'
import type { ProtectOptions } from './read-options.ts'

/** Opens what must be remembered, and makes sure that this node fits to it, before it changes anything there. */
export async function openState(
  {
    options,
    directory,
    secret,
    publicUrl,
  }: {
    readonly options: Pick<ProtectOptions, 'database' | 'secretFile' | 'issuer'>
    readonly directory: DataDirectory
    readonly secret: Uint8Array
    readonly publicUrl: string
  },
  parts: OpenParts,
): Promise<Store> {
  const { database, secretFile, issuer } = options
  const store =
    database === undefined ? await openStore({ file: directory.database }) : await openDatabase(database)
  await parts.add(() => store.close())
  if (database !== undefined) await checkIssuer(store, publicUrl)
  if (issuer === undefined) {
    await checkSecret({ store, secret, now: Date.now() }).catch((error) => {
      if (!(error instanceof Refusal) || error.reason !== 'keys.unavailable') throw error
      const file = secretFile ?? `${directory.path}/secret`
      throw new Problem(
        database === undefined
          ? `${file} does not open the signing keys in ${directory.database}: they are not from one state. Restore both from the same backup.`
          : `${file} does not open the signing keys in ${database.shown}. All nodes of a database share one secret: copy the file from the node that was there first (secret, in its state directory, or what its --secret-file names), and name the copy by --secret-file FILE.`,
      )
    })
  }
  return store
}

/** Tokens and registrations are good for one address; two nodes that disagree would each refuse what the other issued. */
async function checkIssuer(store: Store, publicUrl: string): Promise<void> {
  const resources = await store.grants.listResources()
  const other = resources.map((resource) => new URL(resource).origin).find((origin) => origin !== publicUrl)
  if (other === undefined) return
  throw new Problem(
    `this database is for ${other}, and this node for ${publicUrl}. Start all nodes with the same --public-url; or, where the address has changed, end what was for the old one: warder grant revoke --all`,
  )
}
