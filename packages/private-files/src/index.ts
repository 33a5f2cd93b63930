export { claimPrivateFile } from './claim-private-file.ts'
export * from './files.ts'
export { type HeldLock, holdLock } from './hold-lock.ts'
export { LockTimeout, waitForLock } from './wait-for-lock.ts'
