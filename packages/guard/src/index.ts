export type { Principal } from '@warder/policy'
export {
  type ProtectedHandler,
  type ProtectLogEntry,
  type ProtectOptions,
  protect,
} from './adapters/fetch.ts'
export { type NodeHandler, toNodeHandler } from './adapters/node.ts'
export type { Credentials } from './authenticate.ts'
export { type Asked, filterAnswer, isFiltered, isOpenStream, type SealCursor } from './filter-answer.ts'
export { createGuard, type Guard } from './guard.ts'
export type { KeyFetch, KeySource } from './load-jwks.ts'
export { type GuardOptions, GuardOptionsError, type Revocations, type UserNames } from './options.ts'
export type { RefusalAnswer, RefusalContext } from './refuse.ts'
