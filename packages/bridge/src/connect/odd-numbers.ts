import { isCarriedByDouble } from '@warder/protocol'

const code = { quote: 0x22, minus: 0x2d, zero: 0x30, nine: 0x39, backslash: 0x5c } as const
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const partsOfNumbers: ReadonlySet<number> = new Set([...'+-.0123456789Ee'].map((one) => one.charCodeAt(0)))

/**
 * A JSON text with `null` in the place of each number that a double does not carry, for whoever looks for everything else that may be wrong with it. No part
 * of a number begins with `null`, so that what was malformed stays so.
 */
export function withoutOddNumbers(text: string): string {
  const kept: string[] = []
  let from = 0
  let at = 0
  while (at < text.length) {
    const found = text.charCodeAt(at)
    if (found === code.quote) {
      at = endOfString(text, at)
      continue
    }
    if (found !== code.minus && !(found >= code.zero && found <= code.nine)) {
      at += 1
      continue
    }
    const end = endOfNumber(text, at)
    const literal = text.slice(at, end)
    if (number.test(literal) && !isCarriedByDouble(literal)) {
      kept.push(text.slice(from, at))
      from = end
    }
    at = end
  }
  kept.push(text.slice(from))
  return kept.join('null')
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const found = text.charCodeAt(at)
    if (found === code.quote) return at + 1
    if (found === code.backslash) at += 1
  }
  return text.length
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1
  while (partsOfNumbers.has(text.charCodeAt(at))) at += 1
  return at
}
