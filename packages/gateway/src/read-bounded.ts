import { Refusal } from '@warder/protocol'

/** All bytes of an upstream's body, or Refusal `upstream.answer` when there are more than `max`. */
export async function readBounded(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  max: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return checkSize(body, max)
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      size += chunk.length
      if (size > max) throw new Refusal('upstream.answer', { detail: `more than ${max} bytes` })
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof Refusal || signal.aborted) throw cause
    throw new Refusal('upstream.answer', { detail: 'the answer broke off', cause })
  }
  return Buffer.concat(chunks, size)
}

function checkSize(body: Uint8Array, max: number): Uint8Array {
  if (body.length > max) throw new Refusal('upstream.answer', { detail: `more than ${max} bytes` })
  return body
}
