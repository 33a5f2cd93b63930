import { deriveKey } from './derive-key.ts'
import { createKeyedMac } from './keyed-mac.ts'

/** Where a log stands: the number of its last record, and the seal of that record. */
export interface LogHead {
  readonly n: number
  readonly mac: string
}

/** A record of this log as its own line proves it; whether it stands in its place is another question. */
export interface SealedRecord extends LogHead {
  /** Seal of the record before; empty for the first one. */
  readonly after: string
  /** Whether it is the first record of a file. */
  readonly beginsFile: boolean
}

/** Seals records one behind the other, so that nobody without the secret can change, remove, add or move one (T03). */
export interface LogChain {
  /**
   * The records as lines behind `head`, and the head behind them; the first of them says that it begins the file `begins`, where one
   * is named. Takes JSON objects with at least one member.
   */
  seal(
    head: LogHead,
    records: readonly string[],
    begins?: string,
  ): { readonly text: string; readonly head: LogHead }
  /** What a line says of its place, or undefined where it was not written so under this secret. */
  read(line: string): SealedRecord | undefined
  /** The last sealed record of a text of whole lines. */
  lastOf(text: string): LogHead | undefined
}

/** In front of the first record. */
export const logStart: LogHead = { n: 0, mac: '' }

/** Characters of base64url, 132 bits of HMAC-SHA-256 (RFC 2104 section 5). */
const macLength = 22
/** What stands between the record itself and its seals. No text inside a record has quotes that are not escaped. */
const beginsForm = /,"begins":"[\w.-]+","n":\d+,"after":"[\w-]*"$/
const sealedForm = /^(.*,"n":([1-9]\d{0,14}),"after":"((?:[\w-]{22})?)"),"mac":"([\w-]{22})"\}$/

/**
 * Each record ends with its number, the seal of the record before it, and its own seal: an HMAC over all of the line that stands
 * in front of it. So every line proves itself, and which one is wrong can be told whatever happened to its neighbours.
 */
export function createLogChain(secret: Uint8Array): LogChain {
  const mac = createKeyedMac(deriveKey(secret, 'warder decision log'))
  const macOf = (text: string): string => mac(text).slice(0, macLength)

  const read: LogChain['read'] = (line) => {
    const [, text, n, after, mac] = sealedForm.exec(line) ?? []
    if (text === undefined || after === undefined || mac === undefined || macOf(text) !== mac)
      return undefined
    return { n: Number(n), after, mac, beginsFile: beginsForm.test(text) }
  }

  return {
    seal(head, records, begins) {
      let { n, mac } = head
      let text = ''
      let mark = begins === undefined ? '' : `,"begins":"${begins}"`
      for (const record of records) {
        n += 1
        const sealed = `${record.slice(0, -1)}${mark},"n":${n},"after":"${mac}"`
        mac = macOf(sealed)
        mark = ''
        text += `${sealed},"mac":"${mac}"}\n`
      }
      return { text, head: { n, mac } }
    },
    read,
    lastOf(text) {
      for (const line of text.split('\n').reverse()) {
        const sealed = read(line)
        if (sealed !== undefined) return { n: sealed.n, mac: sealed.mac }
      }
      return undefined
    },
  }
}
