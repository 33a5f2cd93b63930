import { Refusal } from '@warder/protocol'
import type { Store } from '@warder/store'

/**
 * The same store, except that whatever the database throws arrives as `store.unavailable`: an endpoint that could not store
 * or look up something says 503, and never goes on as if it had.
 */
export function makeFailClosedStore(store: Store): Store {
  return wrap(store)
}

function wrap<T extends object>(target: T): T {
  const rooms = new Map<object, object>()
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object)
      if (typeof value === 'function') return (...parameters: unknown[]) => call(value, object, parameters)
      if (typeof value !== 'object' || value === null) return value
      const room = rooms.get(value) ?? wrap(value)
      rooms.set(value, room)
      return room
    },
  })
}

async function call(operation: object, self: object, parameters: readonly unknown[]): Promise<unknown> {
  try {
    return await Reflect.apply(operation as (...all: unknown[]) => unknown, self, parameters)
  } catch (cause) {
    throw new Refusal('store.unavailable', { detail: String(cause), cause })
  }
}
