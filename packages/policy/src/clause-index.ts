import type { Condition } from './condition.ts'
import { isClientId } from './covers-client.ts'
import type { AccessRow } from './policy.ts'
import type { ClientIdentity, UserIdentity } from './principal.ts'

/** A user with a client, as rows of the matrix see them: a principal, or whoever stands before the consent page. */
export interface Asker {
  readonly user: UserIdentity
  readonly client: ClientIdentity
}

/** One half of a row, `may` or `never`, as it counts for one server. */
export interface Clause {
  /** Position in `access`, from 1, for explanations. */
  readonly row: number
  readonly scopes: ReadonlySet<string>
  readonly coversClient: (client: ClientIdentity) => boolean
  /** Undefined: the row is not narrowed to tools. */
  readonly coversTool: ((name: string) => boolean) | undefined
  readonly condition: Condition | undefined
}

/** The clauses of one kind for one server, found by whom they are about. */
export interface ClauseIndex {
  add(row: AccessRow, clause: Clause): void
  /** Those for this user with this client, in no particular order; a clause may come twice. */
  about(who: Asker): readonly Clause[]
}

/** Clauses about the same people. Those about one client, of which there may be many, are found by its id. */
interface Bucket {
  readonly byClient: Map<string, Clause[]>
  readonly others: Clause[]
}

/**
 * Makes an empty index: a look-up costs what is about this user and client, not what the whole matrix holds. `members` are
 * the groups of the file; a row about one of them is about its members and about whoever's token names the group.
 */
export function makeClauseIndex(members: ReadonlyMap<string, readonly string[]>): ClauseIndex {
  const anyone = makeBucket()
  const groups = new Map<string, Bucket>()
  const users = new Map<string, Bucket>()
  const usersOf = new Map<string, Map<string, Bucket>>()

  const bucketsFor = ({ who }: AccessRow): readonly Bucket[] => {
    if (who.kind === 'anyone') return [anyone]
    if (who.kind === 'group') {
      const named = (members.get(who.name) ?? []).map((name) => bucketOf(users, name))
      return [bucketOf(groups, who.name), ...named]
    }
    // Rows about services are about nobody: no principal of this version is one.
    if (who.kind === 'service') return []
    if (who.issuer === undefined) return [bucketOf(users, who.name)]
    const ofIssuer = usersOf.get(who.issuer) ?? new Map<string, Bucket>()
    usersOf.set(who.issuer, ofIssuer)
    return [bucketOf(ofIssuer, who.name)]
  }

  const addTo = (bucket: Bucket, client: string | undefined, clause: Clause): void => {
    if (!isClientId(client)) return void bucket.others.push(clause)
    const named = bucket.byClient.get(client)
    if (named === undefined) bucket.byClient.set(client, [clause])
    else named.push(clause)
  }

  return {
    add: (row, clause) => {
      for (const bucket of bucketsFor(row)) addTo(bucket, row.client, clause)
    },
    about: ({ user, client }) => {
      const found: Clause[] = []
      const ofIssuer = usersOf.get(user.issuer)
      for (const name of user.names) {
        take(users.get(name), client, found)
        take(ofIssuer?.get(name), client, found)
      }
      for (const group of user.groups) take(groups.get(group), client, found)
      take(anyone, client, found)
      return found
    },
  }
}

const makeBucket = (): Bucket => ({ byClient: new Map(), others: [] })

function bucketOf(buckets: Map<string, Bucket>, name: string): Bucket {
  const bucket = buckets.get(name) ?? makeBucket()
  buckets.set(name, bucket)
  return bucket
}

function take(bucket: Bucket | undefined, client: ClientIdentity, found: Clause[]): void {
  if (bucket === undefined) return
  for (const clause of bucket.byClient.get(client.id) ?? [])
    if (clause.coversClient(client)) found.push(clause)
  for (const clause of bucket.others) if (clause.coversClient(client)) found.push(clause)
}
