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
  const wrapped = new WeakMap<object, object>()
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object)
      if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) return value
      const known = wrapped.get(value) ?? wrapAny(value, object)
      wrapped.set(value, known)
      return known
    },
  })
}

function wrapAny(value: object, self: object): object {
  if (typeof value !== 'function') return wrap(value)
  return (...parameters: unknown[]) => call(value, self, parameters)
}

async function call(operation: object, self: object, parameters: readonly unknown[]): Promise<unknown> {
  try {
    return await Reflect.apply(operation as (...all: unknown[]) => unknown, self, parameters)
  } catch (cause) {
    throw new Refusal('store.unavailable', { detail: String(cause), cause })
  }
}
