/** Where something stands: lines and columns count from 1, as editors do. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** What is wrong in a file, in words. They never hold a value of the file, since a value may be a secret. */
export interface Finding {
  /** `error`: what it speaks of is not used. `warning`: it is used, and may not do what somebody expects. */
  readonly level: 'error' | 'warning'
  /** A stable word for programs, such as `duplicate-key`. */
  readonly rule: FindingRule
  readonly message: string
  readonly place: Place
  /** The server that it is about, where it is about one. */
  readonly server?: string
}

export type FindingRule =
  | 'unreadable'
  | 'too-large'
  | 'too-deep'
  | 'not-a-file'
  | 'outside-project'
  | 'encoding'
  | 'byte-order-mark'
  | 'syntax'
  | 'not-strict-json'
  | 'duplicate-key'
  | 'dangerous-name'
  | 'hidden-character'
  | 'wrong-type'
  | 'server-name'
  | 'transport'
  | 'url'
  | 'ignored-field'
  | 'whitespace'
  | 'unset-variable'
  | 'policy-value'
  | 'policy-entry'
  | 'policy-unreadable'
  | 'tool-rule'
