import { type StoreTrouble, StoreUnavailable } from './store-unavailable.ts'

/**
 * What the keychains say, in the order in which it is looked for. The library has no codes. Linux: Secret Service over D-Bus;
 * macOS: Security framework; Windows: Credential Manager.
 */
const sayings: readonly (readonly [RegExp, StoreTrouble, string])[] = [
  [
    /prompt was dismissed|\blocked\b|interaction is not allowed|-25308/i,
    'locked',
    'the keychain of this system is locked, and here nobody can unlock it',
  ],
  [
    /maximum number of active connections/i,
    'timeout',
    'the session bus has no connection left for the keychain; some program of yours has taken them all',
  ],
  [/timed? ?out|NoReply/i, 'timeout', 'the keychain of this system did not answer in time'],
  [
    /no result found|no default (collection|keychain)|-25307/i,
    'missing',
    'the keychain of this system has no keyring to put anything in',
  ],
  [
    /secrets was not provided|ServiceUnknown|connect to socket|autolaunch|DBUS_SESSION|NoServer|no native binding|no storage/i,
    'missing',
    'this session has no keychain',
  ],
]

/** What the keychain said as an error of ours; its own words only where they are none of those that we know. */
export function keychainTrouble(words: string): StoreUnavailable {
  const known = sayings.find(([pattern]) => pattern.test(words))
  if (known === undefined)
    return new StoreUnavailable('denied', `the keychain of this system refuses: ${words}`)
  const [, reason, message] = known
  return new StoreUnavailable(reason, message)
}
