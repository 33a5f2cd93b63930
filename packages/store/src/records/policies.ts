/** A policy that a node has published for all nodes of this database; the newest is in force, the others are its history. */
export interface PublishedPolicy {
  readonly number: number
  readonly digest: string
  readonly text: string
  /** Who published it. */
  readonly node: string
  readonly at: number
}

export interface PolicyOperations {
  current(): Promise<PublishedPolicy | undefined>
  /**
   * Puts a policy in force; a change. `current`: it is already (nothing is stored). `superseded`: it was once, another is by
   * now, and this is not an edit, so nothing is stored: a node that starts with an old file adopts what is in force.
   */
  publish(policy: {
    digest: string
    text: string
    node: string
    /** Whether somebody has just written it, so that going back to an old text counts. */
    isEdit: boolean
    now: number
  }): Promise<'published' | 'current' | 'superseded'>
}
