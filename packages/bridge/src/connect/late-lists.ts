import type { Outcome } from '../child-peer.ts'

/**
 * Lists that were given away empty because somebody had to sign in: when the first of them is there after all, or will not be, the host
 * is told once, and reads them again.
 */
export function createLateLists(tellChanges: () => void): (list: Promise<Outcome>) => void {
  let isWaiting = false
  return (list) => {
    if (isWaiting) return
    isWaiting = true
    const tell = (): void => {
      isWaiting = false
      tellChanges()
    }
    list.then(tell, tell)
  }
}
