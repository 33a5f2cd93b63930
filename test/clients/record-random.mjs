// Preloaded into a program under test: writes down every random value of 32 bytes that it makes, as its text in a URL. States and
// verifiers are such values, and no outsider could know the verifier otherwise.
import crypto from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const { randomBytes } = crypto
crypto.randomBytes = (size, ...rest) => {
  const bytes = randomBytes(size, ...rest)
  if (size === 32) appendFileSync(process.env.RECORDED_RANDOM, `${bytes.toString('base64url')}\n`)
  return bytes
}
syncBuiltinESMExports()
