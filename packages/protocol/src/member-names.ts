import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SUBSCRIPTION_ID_META_KEY,
} from './meta-keys.ts'
import { Refusal } from './refusals.ts'
import { isJsonObject, type JsonObject, ownValue } from './strict-json.ts'

/**
 * Names that have a meaning, as they are written and as a reader sees them that does not tell upper from
 * lower case.
 */
interface Names {
  readonly exact: ReadonlySet<string>
  readonly folded: ReadonlySet<string>
}

/**
 * Members of `params`, and of the objects in it that a decision looks at or the protocol fixes, in all
 * methods and revisions.
 */
const params = makeNames([
  ...['_meta', 'name', 'uri', 'arguments', 'cursor', 'task', 'inputResponses', 'requestState'],
  ...['ref', 'type', 'title', 'argument', 'value', 'context'],
  ...['notifications', 'resourceSubscriptions'],
  ...['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'],
  ...['protocolVersion', 'capabilities', 'clientInfo', 'level'],
  ...['requestId', 'reason', 'progressToken', 'progress', 'total', 'message'],
])
const objectsInParams = ['ref', 'argument', 'context', 'notifications'] as const

const meta = makeNames([
  ...[PROTOCOL_VERSION_META_KEY, CLIENT_INFO_META_KEY, CLIENT_CAPABILITIES_META_KEY, LOG_LEVEL_META_KEY],
  SUBSCRIPTION_ID_META_KEY,
  'progressToken',
])

/**
 * Refuses params that a reader who folds upper and lower case together would take for others
 * (`message.params`; M03): a member whose name is one of the protocol's but for its case, also where it
 * stands alone, two names that differ only in case, and names with anything but visible ASCII, of which some
 * readers fold letters (`\u017f` is an s, `\u212a` a k) and others cut what follows a NUL. Go's
 * `encoding/json` and most readers of C# fold. Does not look into `arguments`, whose names are the tool's.
 */
export function checkMemberNames(object: JsonObject): void {
  checkNames(object, params)
  for (const name of objectsInParams) {
    const inner = ownValue(object, name)
    if (isJsonObject(inner)) checkNames(inner, params)
  }
  const inner = ownValue(object, '_meta')
  if (isJsonObject(inner)) checkNames(inner, meta)
}

const visible = /^[\x21-\x7e]*$/

function checkNames(object: JsonObject, names: Names): void {
  const others = Object.keys(object).filter((name) => !names.exact.has(name))
  if (others.length === 0) return
  const folded = others.map((name) => name.toLowerCase())
  const isAmbiguous =
    !others.every((name) => visible.test(name)) ||
    folded.some((name) => names.folded.has(name)) ||
    new Set(folded).size < folded.length
  if (isAmbiguous) throw new Refusal('message.params', { detail: 'a member that others read as another' })
}

function makeNames(exact: readonly string[]): Names {
  return { exact: new Set(exact), folded: new Set(exact.map((name) => name.toLowerCase())) }
}
