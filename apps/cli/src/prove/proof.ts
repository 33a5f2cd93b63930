/** The outcome of one attempt. `not-applicable`: what it needs was not there. */
export type Outcome = 'passed' | 'failed' | 'warning' | 'not-applicable'

/** One line of the proof: what was tried, and what happened. */
export interface ProofRow {
  readonly id: string
  readonly title: string
  readonly outcome: Outcome
  /** What was seen, in words; texts of the server are made plain and cut. */
  readonly says: string
  /** The requirement behind it. */
  readonly rule: string
}

export const passed = (says: string): Pick<ProofRow, 'outcome' | 'says'> => ({ outcome: 'passed', says })
export const failed = (says: string): Pick<ProofRow, 'outcome' | 'says'> => ({ outcome: 'failed', says })
export const warning = (says: string): Pick<ProofRow, 'outcome' | 'says'> => ({ outcome: 'warning', says })
export const notApplicable = (says: string): Pick<ProofRow, 'outcome' | 'says'> => ({
  outcome: 'not-applicable',
  says,
})
