export type { Principal } from '@warder/policy'
export type { ProtectLogEntry, ProtectOptions } from './adapters/door.ts'
export {
  type CallHandler,
  type OpenCall,
  type ProtectedHandler,
  protect,
  protectCalls,
} from './adapters/fetch.ts'
export { type NodeHandler, toNodeHandler } from './adapters/node.ts'
export { type GuardedHandler, type GuardedMessage, protectNode } from './adapters/protect-node.ts'
export type { Credentials } from './authenticate.ts'
export { type Asked, filterAnswer, isFiltered, isOpenStream, type SealCursor } from './filter-answer.ts'
export { createGuard, type Guard } from './guard.ts'
export type { KeyFetch, KeySource } from './load-jwks.ts'
export { type GuardOptions, GuardOptionsError, type Revocations, type UserNames } from './options.ts'
export type { RefusalAnswer, RefusalContext } from './refuse.ts'
