import { createHash } from 'node:crypto'
import { isJsonObject, ownValue, Refusal, readStrictText } from '@warder/protocol'
import type { ClientParts } from './client-parts.ts'
import { serverName } from './records.ts'

/**
 * How often a sign-in was begun for what an operation wanted, where it is begun by somebody else than the request: kept in the
 * store, since the request, the beginning and the end of the sign-in may each be in a process of its own (CL-35).
 */
interface Tries {
  /** SHA-256 of the operation. */
  readonly id: string
  readonly made: number
  /** Whether the next sign-in to begin is for this operation, too. */
  readonly isWanted: boolean
  /** Milliseconds since 1970. */
  readonly endsAt: number
}

const lifeMs = 60 * 60_000
/** The oldest gives way. */
const maxOperations = 100

type Where = Pick<ClientParts, 'store' | 'server' | 'profile' | 'now'>

const nameOf = ({ server, profile }: Where): string => `step-ups.${serverName({ server, profile })}`
const idOf = (operation: string): string => createHash('sha256').update(operation).digest('hex')

/** The sign-ins that were begun for this operation within the hour. */
export async function loadTries(parts: Where, operation: string): Promise<number> {
  const id = idOf(operation)
  return (await readTries(parts)).find((one) => one.id === id)?.made ?? 0
}

/** This operation needs a sign-in: it is one more try when one begins, and not before. */
export async function keepWanted(parts: Where, operation: string): Promise<void> {
  const id = idOf(operation)
  await change(parts, (all) => {
    const known = all.find((one) => one.id === id)
    if (known?.isWanted === true) return all
    const endsAt = parts.now() + lifeMs
    return [...all.filter((one) => one !== known), { id, made: known?.made ?? 0, isWanted: true, endsAt }]
  })
}

/** A sign-in begins, with whatever scopes: it is a try for all that wait for one. */
export async function countTries(parts: Where): Promise<void> {
  const endsAt = parts.now() + lifeMs
  await change(parts, (all) =>
    all.some(({ isWanted }) => isWanted)
      ? all.map((one) => (one.isWanted ? { ...one, made: one.made + 1, isWanted: false, endsAt } : one))
      : all,
  )
}

export async function forgetTries(parts: Where): Promise<void> {
  await parts.store.remove(nameOf(parts))
}

async function change(parts: Where, to: (all: readonly Tries[]) => readonly Tries[]): Promise<void> {
  const { store } = parts
  const before = await readTries(parts)
  // Most requests change nothing, and wait for nobody.
  if (to(before) === before) return
  await store.locked(nameOf(parts), async () => {
    const all = await readTries(parts)
    const changed = to(all)
    if (changed === all) return
    await store.write(nameOf(parts), JSON.stringify({ version: 1, tries: changed.slice(-maxOperations) }))
  })
}

async function readTries(parts: Where): Promise<readonly Tries[]> {
  const text = await parts.store.read(nameOf(parts))
  const now = parts.now()
  return text === undefined ? [] : parse(text).filter(({ endsAt }) => endsAt > now)
}

/** Nothing for what is damaged or of another version: counting begins again. */
function parse(text: string): readonly Tries[] {
  try {
    const record = readStrictText(text)
    if (!isJsonObject(record) || ownValue(record, 'version') !== 1) return []
    const tries = ownValue(record, 'tries')
    return Array.isArray(tries) ? tries.filter(isTries) : []
  } catch (error) {
    if (error instanceof Refusal) return []
    throw error
  }
}

function isTries(value: unknown): value is Tries {
  if (!isJsonObject(value)) return false
  const { id, made, isWanted, endsAt } = value
  const isCounted = Number.isSafeInteger(made) && typeof endsAt === 'number'
  return typeof id === 'string' && isCounted && typeof isWanted === 'boolean'
}
