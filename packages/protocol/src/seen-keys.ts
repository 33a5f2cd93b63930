/** Up to here to look through keys costs less than a set does. */
const few = 16

/**
 * The keys of one object of a JSON text, as places in the text: to cut each key out would cost more than to scan it. Where there
 * are many, one has escapes or two look alike, they are cut out after all.
 */
export class SeenKeys {
  private readonly text: string
  private readonly looks: number[] = []
  private readonly starts: number[] = []
  private readonly ends: number[] = []
  private count = 0
  private cutOut: Set<string> | undefined

  constructor(text: string) {
    this.text = text
  }

  /** Makes it ready for another object. */
  clear(): void {
    this.count = 0
    this.cutOut = undefined
  }

  /** Takes the key that stands there with its quotes. False where the same key was there already. */
  add(start: number, end: number, isPlain: boolean): boolean {
    if (isPlain && this.cutOut === undefined && this.count < few) {
      const look = this.lookOf(start, end)
      if (this.isNew(look)) {
        this.push(look, start, end)
        return true
      }
    }
    this.cutOut ??= this.cutAll()
    return this.cutOut.size < this.cutOut.add(readString(this.text, start, end, isPlain)).size
  }

  /** Its length, its first and its last character: the same for keys that are the same, and hardly ever for others. */
  private lookOf(start: number, end: number): number {
    return ((end - start) << 16) ^ (this.text.charCodeAt(start + 1) << 8) ^ this.text.charCodeAt(end - 2)
  }

  private isNew(look: number): boolean {
    for (let at = 0; at < this.count; at += 1) if (this.looks[at] === look) return false
    return true
  }

  private push(look: number, start: number, end: number): void {
    this.looks[this.count] = look
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.count += 1
  }

  private cutAll(): Set<string> {
    const keys = new Set<string>()
    for (let at = 0; at < this.count; at += 1) {
      keys.add(readString(this.text, this.starts[at] ?? 0, this.ends[at] ?? 0, true))
    }
    return keys
  }
}

/** A string that was scanned, as it reads, so that `"n\u0061me"` and `"name"` are the same key. */
export function readString(text: string, start: number, end: number, isPlain: boolean): string {
  return isPlain ? text.slice(start + 1, end - 1) : JSON.parse(text.slice(start, end))
}
