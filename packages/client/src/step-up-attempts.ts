/** How often somebody was asked because of an operation, such as `tools/call create_note` (CL-35, Q14). */
export interface StepUpAttempts {
  of(operation: string): number
  /** Counts one, before it begins: what fails or is left halfway was an attempt, too. */
  count(operation: string): void
  clear(): void
}

const maxOperations = 1000

export function makeStepUpAttempts(): StepUpAttempts {
  const made = new Map<string, number>()
  return {
    of: (operation) => made.get(operation) ?? 0,
    count(operation) {
      if (made.size >= maxOperations) made.clear()
      made.set(operation, (made.get(operation) ?? 0) + 1)
    },
    clear: () => made.clear(),
  }
}
