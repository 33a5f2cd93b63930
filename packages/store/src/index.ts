export * from './open-store.ts'
export { declineCountsMs } from './operations/consents.ts'
export type { DatabaseOptions } from './read-database-url.ts'
export type * from './store.ts'
