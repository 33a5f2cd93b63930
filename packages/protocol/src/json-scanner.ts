import { isCarriedByDouble } from './json-number.ts'
import { Refusal } from './refusals.ts'
import { readString, SeenKeys } from './seen-keys.ts'

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
  private readonly seen: SeenKeys[] = []

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
    const start = this.at
    const isPlain = this.scanString()
    const text = readString(this.text, start, this.at, isPlain)
    this.skipWhitespace()
    return text
  }

  private fail(): never {
    throw new Refusal('message.not-json', { detail: `at character ${this.at}` })
  }

  /** The code at this place; -1 behind the end, where asking the text would make all of its places slow to ask for. */
  private current(): number {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1
  }

  private take(wanted: number): boolean {
    if (this.current() !== wanted) return false
    this.at += 1
    return true
  }

  skipWhitespace(): void {
    if (this.current() > code.space) return
    while (this.isAtWhitespace()) this.at += 1
  }

  private isAtWhitespace(): boolean {
    switch (this.current()) {
      case code.space:
      case code.lineFeed:
      case code.carriageReturn:
      case code.tab:
        return true
      default:
        return false
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
    const seen = this.keysAtDepth()
    do {
      this.skipWhitespace()
      const start = this.at
      const isPlain = this.scanString()
      const end = this.at
      if (!seen.add(start, end, isPlain)) throw new Refusal('message.duplicate-key')
      this.keys += 1
      if (this.keys > this.maxKeys) throw new Refusal('message.too-complex', { detail: 'keys' })
      this.skipWhitespace()
      if (!this.take(code.colon)) this.fail()
      if (scanMember === undefined) this.scanValue()
      else scanMember(readString(this.text, start, end, isPlain))
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

  /** One for each depth: objects that stand beside each other are never open at once. */
  private keysAtDepth(): SeenKeys {
    while (this.seen.length < this.depth) this.seen.push(new SeenKeys(this.text))
    const seen = this.seen[this.depth - 1] as SeenKeys
    seen.clear()
    return seen
  }

  /** Whether it is without escapes. */
  private scanString(): boolean {
    const { text } = this
    if (!this.take(code.quote)) this.fail()
    let isPlain = true
    for (let at = this.at; ; at += 1) {
      const found = at < text.length ? text.charCodeAt(at) : -1
      if (found === code.quote) {
        this.at = at + 1
        return isPlain
      }
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
