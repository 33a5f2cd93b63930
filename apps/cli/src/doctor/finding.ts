/** What one look found. Texts are ours; words from elsewhere in them are made fit for a terminal where they are printed. */
export interface Finding {
  readonly group: Group
  readonly check: string
  readonly outcome: Outcome
  /** What is the case, without secrets. */
  readonly found: string
  /** The one thing to do about it. */
  readonly fix?: string
}

export type Outcome = 'good' | 'note' | 'bad' | 'skipped'

/** In the order in which they are looked at and shown. */
export type Group = 'this machine' | 'the way there' | 'discovery' | 'the five things' | 'your sign-in'

/** Tells one finding as soon as it is there: an examination takes seconds, and a person watches. */
export type Tell = (finding: Finding) => void
