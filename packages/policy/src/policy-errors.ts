/** One thing that is wrong with a policy file. Lines and columns count from 1. */
export interface PolicyProblem {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** Thrown by `readPolicy`: everything that is wrong with the file, in the order of the text. */
export class PolicyErrors extends Error {
  override readonly name = 'PolicyErrors'
  readonly file: string
  readonly problems: readonly PolicyProblem[]

  constructor(file: string, problems: readonly PolicyProblem[]) {
    super(problems.map((at) => `${file}:${at.line}:${at.column}: ${at.message}`).join('\n'))
    this.file = file
    this.problems = problems
  }
}
