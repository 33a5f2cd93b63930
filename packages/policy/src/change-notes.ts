/** Where a comparison notes what it finds. */
export interface ChangeNotes {
  wider(text: string): void
  narrower(text: string): void
}
