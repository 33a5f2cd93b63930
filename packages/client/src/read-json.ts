import { Refusal, readStrictJson } from '@warder/protocol'

/** What a body says as strict JSON; undefined where it is none. */
export function readJson(body: Uint8Array): unknown {
  try {
    return readStrictJson(body)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
