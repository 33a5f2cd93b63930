import { isCarriedByDouble } from './json-number.ts'
import { Refusal } from './refusals.ts'

const code = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  point: 0x2e,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  upperE: 0x45,
  openList: 0x5b,
  backslash: 0x5c,
  closeList: 0x5d,
  lowerE: 0x65,
  lowerF: 0x66,
  lowerN: 0x6e,
  lowerT: 0x74,
  lowerU: 0x75,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const

const simpleEscapes = '"\\/bfnrt'
/** Tested against no more than four characters. */
const unicodeUnit = /[0-9a-fA-F]{4}/

/**
 * One pass over a JSON text that finds what `readStrictJson` refuses. It makes no values, so that JSON.parse stays the only one
 * who does; and it goes by character codes, since every call of every client comes through here.
 */
export class JsonScanner {
  readonly text: string
  private readonly maxDepth: number
  private readonly maxKeys: number
  /** The place in the text that is looked at next. */
  at = 0
  private depth = 0
  private keys = 0

  constructor(text: string, maxDepth: number, maxKeys: number) {
    this.text = text
    this.maxDepth = maxDepth
    this.maxKeys = maxKeys
  }

  /** Throws the refusal of the first thing that is wrong. */
  scan(): void {
    this.scanValue()
    this.end()
  }

  end(): void {
    if (this.at !== this.text.length) this.fail()
  }

  /** A value; if it is an object, `scanMember` scans the value of each member. Whether it is one. */
  scanObject(scanMember: (key: string) => void): boolean {
    this.skipWhitespace()
    const isObject = this.current() === code.openObject
    if (isObject) {
      this.enter()
      this.scanMembers(scanMember)
      this.leave()
    } else {
      this.scanValue()
    }
    return isObject
  }

  /** A value; if it is a list, `scanElement` scans each element. Whether it is one. */
  scanList(scanElement: () => void): boolean {
    this.skipWhitespace()
    const isList = this.current() === code.openList
    if (isList) {
      this.enter()
      this.scanElements(scanElement)
      this.leave()
    } else {
      this.scanValue()
    }
    return isList
  }

  /** A value: what it says if it is a string, else undefined. */
  readText(): string | undefined {
    this.skipWhitespace()
    if (this.current() !== code.quote) {
      this.scanValue()
      return undefined
    }
    const text = this.readString()
    this.skipWhitespace()
    return text
  }

  private fail(): never {
    throw new Refusal('message.not-json', { detail: `at character ${this.at}` })
  }

  /** The code at this place; NaN behind the end, which is neither equal to nor greater than anything. */
  private current(): number {
    return this.text.charCodeAt(this.at)
  }

  private take(wanted: number): boolean {
    if (this.current() !== wanted) return false
    this.at += 1
    return true
  }

  skipWhitespace(): void {
    for (;;) {
      const found = this.current()
      if (!(found <= code.space)) return
      if (
        found !== code.space &&
        found !== code.lineFeed &&
        found !== code.carriageReturn &&
        found !== code.tab
      ) {
        return
      }
      this.at += 1
    }
  }

  scanValue(): void {
    this.skipWhitespace()
    switch (this.current()) {
      case code.openObject:
        this.enter()
        this.scanMembers()
        this.leave()
        return
      case code.openList:
        this.enter()
        this.scanElements()
        this.leave()
        return
      case code.quote:
        this.scanString()
        break
      case code.lowerT:
        this.scanWord('true')
        break
      case code.lowerF:
        this.scanWord('false')
        break
      case code.lowerN:
        this.scanWord('null')
        break
      default:
        this.scanNumber()
    }
    this.skipWhitespace()
  }

  private enter(): void {
    this.at += 1
    this.depth += 1
    if (this.depth > this.maxDepth) throw new Refusal('message.too-complex', { detail: 'depth' })
    this.skipWhitespace()
  }

  private leave(): void {
    this.depth -= 1
    this.skipWhitespace()
  }

  private scanMembers(scanMember?: (key: string) => void): void {
    if (this.take(code.closeObject)) return
    const seen = new SeenKeys()
    do {
      this.skipWhitespace()
      const key = this.readString()
      if (!seen.add(key)) throw new Refusal('message.duplicate-key')
      this.keys += 1
      if (this.keys > this.maxKeys) throw new Refusal('message.too-complex', { detail: 'keys' })
      this.skipWhitespace()
      if (!this.take(code.colon)) this.fail()
      if (scanMember === undefined) this.scanValue()
      else scanMember(key)
    } while (this.take(code.comma))
    if (!this.take(code.closeObject)) this.fail()
  }

  private scanElements(scanElement?: () => void): void {
    if (this.take(code.closeList)) return
    do {
      if (scanElement === undefined) this.scanValue()
      else scanElement()
    } while (this.take(code.comma))
    if (!this.take(code.closeList)) this.fail()
  }

  /** The string as it reads, so that `"n\u0061me"` and `"name"` are the same key. */
  private readString(): string {
    const start = this.at
    const isPlain = this.scanString()
    return isPlain ? this.text.slice(start + 1, this.at - 1) : JSON.parse(this.text.slice(start, this.at))
  }

  /** Whether it is without escapes. */
  private scanString(): boolean {
    const { text } = this
    if (!this.take(code.quote)) this.fail()
    let isPlain = true
    for (let at = this.at; ; at += 1) {
      const found = text.charCodeAt(at)
      if (found === code.quote) {
        this.at = at + 1
        return isPlain
      }
      // Behind the end there is NaN, which is not greater than anything.
      if (found !== code.backslash && found >= code.space) continue
      this.at = at
      if (found !== code.backslash) this.fail()
      isPlain = false
      this.at += 1
      this.scanEscape()
      at = this.at - 1
    }
  }

  /** UTF-8 holds no surrogates, so only escapes can make one; each high one must have its low one right behind it. */
  private scanEscape(): void {
    if (!this.take(code.lowerU)) {
      if (!simpleEscapes.includes(this.text.charAt(this.at))) this.fail()
      this.at += 1
      return
    }
    const unit = this.takeUnit()
    if (unit >= 0xdc00 && unit <= 0xdfff) this.fail()
    if (unit < 0xd800 || unit > 0xdbff) return
    if (!this.take(code.backslash) || !this.take(code.lowerU)) this.fail()
    const low = this.takeUnit()
    if (low < 0xdc00 || low > 0xdfff) this.fail()
  }

  private takeUnit(): number {
    const digits = this.text.slice(this.at, this.at + 4)
    if (!unicodeUnit.test(digits)) this.fail()
    this.at += 4
    return Number.parseInt(digits, 16)
  }

  private scanWord(word: string): void {
    if (!this.text.startsWith(word, this.at)) this.fail()
    this.at += word.length
  }

  private scanNumber(): void {
    const start = this.at
    this.take(code.minus)
    if (!this.take(code.zero)) this.scanDigits()
    if (this.take(code.point)) this.scanDigits()
    if (this.take(code.lowerE) || this.take(code.upperE)) {
      if (!this.take(code.plus)) this.take(code.minus)
      this.scanDigits()
    }
    if (!isCarriedByDouble(this.text.slice(start, this.at))) throw new Refusal('message.number')
  }

  private scanDigits(): void {
    const start = this.at
    while (this.current() >= code.zero && this.current() <= code.nine) this.at += 1
    if (this.at === start) this.fail()
  }
}

/** The keys of one object. Most have few, and to look through few costs less than a set does. */
class SeenKeys {
  private readonly few: string[] = []
  private many: Set<string> | undefined

  /** False where the key was there already. */
  add(key: string): boolean {
    const { few, many } = this
    if (many !== undefined) return many.size < many.add(key).size
    if (few.includes(key)) return false
    few.push(key)
    if (few.length > 16) this.many = new Set(few)
    return true
  }
}
