import type { Store } from '@warder/store'

/** Whether somebody owns the server. The store is asked until it says so: nothing takes an owner away. */
export function makeOwnerCheck(store: Store): () => Promise<boolean> {
  let isOwned = false
  return async () => {
    isOwned ||= await store.users.hasOwner()
    return isOwned
  }
}
