import type { JsonObject } from '@warder/protocol'

/** Something that a child reported on its own, without being asked at that moment. */
export type ChildNotice =
  | { readonly method: ListChange; readonly params: JsonObject }
  | { readonly method: 'notifications/resources/updated'; readonly params: { readonly uri: string } }
  | { readonly method: 'notifications/message'; readonly params: JsonObject }

type ListChange =
  | 'notifications/tools/list_changed'
  | 'notifications/prompts/list_changed'
  | 'notifications/resources/list_changed'

/**
 * Reads a notification that concerns the clients of the child's owner; undefined for all others, which go no further.
 * Of a change only the fact passes: what else a child writes there could name what a client may not see (N03).
 */
export function readNotice(method: string, params: JsonObject): ChildNotice | undefined {
  switch (method) {
    case 'notifications/tools/list_changed':
    case 'notifications/prompts/list_changed':
    case 'notifications/resources/list_changed':
      return { method, params: {} }
    case 'notifications/resources/updated': {
      const { uri } = params
      return typeof uri === 'string' ? { method, params: { uri } } : undefined
    }
    case 'notifications/message': {
      const { _meta: _subscription, ...rest } = params
      return { method, params: rest }
    }
    default:
      return undefined
  }
}
