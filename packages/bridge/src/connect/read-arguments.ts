import type { JsonObject } from '@warder/protocol'

const { isRawJSON } = JSON as unknown as {
  isRawJSON(value: unknown): value is { readonly rawJSON: string }
}
const readings: readonly ((text: string) => unknown)[] = [
  (text) => text,
  (text) => text.replace(/\.0+$/, ''),
  Number,
]

/**
 * The arguments of a call in each way that its server may read them. There is more than one where a number stands that a double
 * does not carry: to some servers it is its digits, to others what a double makes of it. A rule that covers one of them counts.
 */
export function readArguments(given: JsonObject): readonly JsonObject[] {
  const odd = Object.entries(given).flatMap(([name, value]) =>
    isRawJSON(value) ? [[name, value.rawJSON] as const] : [],
  )
  if (odd.length === 0) return [given]
  return readings.map((read) => ({
    ...given,
    ...Object.fromEntries(odd.map(([name, text]) => [name, read(text)])),
  }))
}
