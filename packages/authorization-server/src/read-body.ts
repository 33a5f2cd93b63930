import { type Form, isJsonType, Refusal, readForm, readStrictJson } from '@warder/protocol'
import type { WebRequest } from './message.ts'

const formType = /^application\/x-www-form-urlencoded[\t ]*(?:;[\t ]*charset=(?:utf-8|"utf-8")[\t ]*)?$/i
const maxFormBytes = 16_384
const maxJsonBytes = 16_384
/** Room for a switch for each scope of a policy, in a form that only comes from a page of ours. */
const maxSwitchFormBytes = 65_536
const maxSwitches = 4_096

/** The form in a request body, at most 16 KB. Another content type throws `parameter.malformed`: OAuth wants 400 for it. */
export async function readFormBody(request: WebRequest, repeatable: readonly string[] = []): Promise<Form> {
  return readForm(await readFormText(request), repeatable)
}

/** The form of a page with any number of switches, which come back under these names; at most 64 KB. */
export async function readSwitchForm(request: WebRequest, switches: readonly string[]): Promise<Form> {
  return readForm(await readFormText(request, maxSwitchFormBytes), switches, maxSwitches)
}

/** The text of a form body, not read yet. */
export async function readFormText(request: WebRequest, maxBytes: number = maxFormBytes): Promise<string> {
  if (!formType.test(request.headers.get('content-type') ?? '')) {
    throw new Refusal('parameter.malformed', { detail: 'content type' })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await readBytes(request, maxBytes),
    )
  } catch (error) {
    throw error instanceof Refusal
      ? error
      : new Refusal('parameter.malformed', { detail: 'UTF-8', cause: error })
  }
}

/** The JSON in a request body, at most 16 KB, read strictly. What is not JSON throws `registration.not-json`. */
export async function readJsonBody(request: WebRequest): Promise<unknown> {
  if (!isJsonType(request.headers.get('content-type') ?? undefined)) {
    throw new Refusal('registration.not-json', { detail: 'content type' })
  }
  const bytes = await readBytes(request, maxJsonBytes)
  try {
    return readStrictJson(bytes)
  } catch (cause) {
    throw new Refusal('registration.not-json', { detail: String(cause), cause })
  }
}

async function readBytes({ body }: WebRequest, maxBytes: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) {
    if (body.length > maxBytes) throw new Refusal('http.too-large')
    return body
  }
  // Not by iterating: that costs more than a form does.
  const reader = body?.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
    length += read.value.length
    if (length > maxBytes) {
      await reader?.cancel().catch(() => undefined)
      throw new Refusal('http.too-large')
    }
    chunks.push(read.value)
  }
  return Buffer.concat(chunks)
}
