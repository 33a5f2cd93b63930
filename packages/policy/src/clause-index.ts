import { type Clause, type ClauseList, few, makeClauseList } from './clause-list.ts'
import { compilePattern } from './pattern.ts'
import { makePatternIndex, type PatternIndex } from './pattern-index.ts'
import type { Who } from './policy.ts'
import type { ClientIdentity, UserIdentity } from './principal.ts'

/** A user with a client, as rows of the matrix see them: a principal, or whoever stands before the consent page. */
export interface Asker {
  readonly user: UserIdentity
  readonly client: ClientIdentity
}

/** The clauses of one kind for one server, found by whom they are about. */
export interface ClauseIndex {
  /** In the order of the file. */
  add(who: Who, clause: Clause): void
  /**
   * Lists that hold every clause about this user with this client; clauses about other clients may be in them too. `groups`
   * are those of the file in which the user is; those of the token count besides.
   */
  about(who: Asker, groups: readonly string[]): readonly ClauseList[]
}

/** Clauses about the same people: a short list, or lists found by client. */
interface Bucket {
  short: ClauseList | undefined
  byClient: ClientTable | undefined
}

interface ClientTable {
  /** By what the row says under `client`, except patterns. */
  readonly named: Map<string | undefined, ClauseList>
  readonly patterns: PatternIndex<ClauseList>
  readonly byPattern: Map<string, ClauseList>
}

/** Makes an empty index: a look-up costs what is about this user and client, not what the whole matrix holds. */
export function makeClauseIndex(): ClauseIndex {
  const anyone = makeBucket()
  const groups = new Map<string, Bucket>()
  const users = new Map<string, Bucket>()
  const usersOf = new Map<string, Map<string, Bucket>>()

  const bucketFor = (who: Who): Bucket | undefined => {
    if (who.kind === 'anyone') return anyone
    if (who.kind === 'group') return bucketOf(groups, who.name)
    // Rows about services are about nobody: no principal of this version is one.
    if (who.kind === 'service') return undefined
    if (who.issuer === undefined) return bucketOf(users, who.name)
    const ofIssuer = usersOf.get(who.issuer) ?? new Map<string, Bucket>()
    usersOf.set(who.issuer, ofIssuer)
    return bucketOf(ofIssuer, who.name)
  }

  return {
    add: (who, clause) => {
      const bucket = bucketFor(who)
      if (bucket !== undefined) addTo(bucket, clause)
    },
    about: ({ user, client }, known) => {
      const found: ClauseList[] = []
      const ofIssuer = usersOf.get(user.issuer)
      for (const name of user.names) {
        take(users.get(name), client, found)
        take(ofIssuer?.get(name), client, found)
      }
      for (const group of user.groups) take(groups.get(group), client, found)
      for (const group of known) if (!user.groups.includes(group)) take(groups.get(group), client, found)
      take(anyone, client, found)
      return found
    },
  }
}

const makeBucket = (): Bucket => ({ short: undefined, byClient: undefined })

function bucketOf(buckets: Map<string, Bucket>, name: string): Bucket {
  const bucket = buckets.get(name) ?? makeBucket()
  buckets.set(name, bucket)
  return bucket
}

function addTo(bucket: Bucket, clause: Clause): void {
  if (bucket.byClient !== undefined) return void listFor(bucket.byClient, clause.client).add(clause)
  bucket.short ??= makeClauseList()
  bucket.short.add(clause)
  if (bucket.short.all.length < few) return
  const byClient = { named: new Map(), patterns: makePatternIndex<ClauseList>(), byPattern: new Map() }
  for (const one of bucket.short.all) listFor(byClient, one.client).add(one)
  bucket.byClient = byClient
  bucket.short = undefined
}

/** What is no single client is a class, `any`, nothing at all, or a pattern. */
function listFor({ named, patterns, byPattern }: ClientTable, client: string | undefined): ClauseList {
  const isPattern = client?.includes('*') === true
  const known = isPattern ? byPattern.get(client) : named.get(client)
  if (known !== undefined) return known
  const list = makeClauseList()
  if (!isPattern) named.set(client, list)
  else {
    byPattern.set(client, list)
    patterns.add(compilePattern(client), list)
  }
  return list
}

function take(bucket: Bucket | undefined, client: ClientIdentity, found: ClauseList[]): void {
  if (bucket?.short !== undefined) found.push(bucket.short)
  if (bucket?.byClient === undefined) return
  const { named, patterns } = bucket.byClient
  // An id that reads like a class finds the rows about that class too; what they cover is checked at each row.
  for (const key of [client.id, undefined, 'any', client.class]) {
    const list = named.get(key)
    if (list !== undefined) found.push(list)
  }
  for (const lists of patterns.near(client.id)) found.push(...lists)
}
