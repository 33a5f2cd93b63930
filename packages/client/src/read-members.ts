import { type JsonObject, ownValue, type Reason, Refusal } from '@warder/protocol'

const maxItems = 1000
const maxLength = 4096

/** Reads the members of a document that a server sent. Each throws the reason where a member is there and of another kind. */
export interface Members {
  text(name: string): string | undefined
  texts(name: string): readonly string[] | undefined
  /** Absent is false. */
  flag(name: string): boolean
}

/** Null counts as absent: servers in use send it. At most 1,000 texts of 4,096 characters. */
export function readMembers(json: JsonObject, reason: Reason): Members {
  const refused = (name: string): Refusal => new Refusal(reason, { detail: name })
  const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= maxLength
  return {
    text(name) {
      const value = ownValue(json, name) ?? undefined
      if (value === undefined || isText(value)) return value
      throw refused(name)
    },
    texts(name) {
      const value = ownValue(json, name) ?? undefined
      if (value === undefined) return undefined
      if (Array.isArray(value) && value.length <= maxItems && value.every(isText)) return value
      throw refused(name)
    },
    flag(name) {
      const value = ownValue(json, name) ?? false
      if (typeof value === 'boolean') return value
      throw refused(name)
    },
  }
}
