import type { UserRequest } from '@warder/outbound'
import { isJsonObject, ownValue, Refusal, readStrictText } from '@warder/protocol'

/**
 * What a request is about, such as `tools/call create_note`: what attempts to get more scopes are counted by. By the body alone; a
 * request whose body says nothing goes by its HTTP method.
 */
export function readOperation({ method = 'GET', body }: UserRequest): string {
  const message = body === undefined ? undefined : readMessage(body)
  const name = message && ownValue(message, 'method')
  if (message === undefined || typeof name !== 'string') return method
  const params = ownValue(message, 'params')
  const of = isJsonObject(params) ? (ownValue(params, 'name') ?? ownValue(params, 'uri')) : undefined
  return typeof of === 'string' ? `${name} ${of}` : name
}

function readMessage(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = readStrictText(body)
    return isJsonObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
