import { open } from 'node:fs/promises'
import { Refusal } from '@warder/protocol'

/** Where a token comes from, looked up anew each time: platforms replace theirs. */
export type SecretSource =
  | { readonly file: string }
  | { readonly env: string }
  | { readonly read: () => string | Promise<string> }

const maxBytes = 32_768

/**
 * The token of a source, without the white space around it: visible ASCII, at most 32,768 characters. Throws
 * `workload-token.unusable`, which names the place and never what stands there.
 */
export async function readSecret(source: SecretSource): Promise<string> {
  const { place, text } = await load(source)
  const token = text?.trim() ?? ''
  if (/^[\x21-\x7e]+$/.test(token) && token.length <= maxBytes) return token
  throw new Refusal('workload-token.unusable', { detail: `${place} holds no token` })
}

async function load(
  source: SecretSource,
): Promise<{ readonly place: string; readonly text: string | undefined }> {
  if ('env' in source) return { place: `the variable ${source.env}`, text: process.env[source.env] }
  if ('read' in source) return { place: 'the callback', text: await source.read() }
  return { place: source.file, text: await readStart(source.file) }
}

/** No more than a token can have: the path may lead to a device that never ends. */
async function readStart(file: string): Promise<string> {
  try {
    const handle = await open(file)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxBytes + 2), 0, maxBytes + 2, 0)
      return buffer.subarray(0, bytesRead).toString('utf8')
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw new Refusal('workload-token.unusable', { detail: `${file} cannot be read`, cause })
  }
}
