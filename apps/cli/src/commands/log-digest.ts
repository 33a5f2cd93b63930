import { readFileSync } from 'node:fs'
import { bodyDigest } from '@warder/gateway'
import { messageOf } from '@warder/protocol'
import type { Command } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { print } from '../output.ts'
import { Problem } from '../problem.ts'
import { findDataDirectory } from '../with-store.ts'
import { findLogSecret, secretOptions, secretUsage } from './log-secret.ts'

const usage = `log digest ${secretUsage} FILE`

export const logDigest: Command = {
  usage,
  options: secretOptions,
  examples: [
    'warder log digest request.json',
    'warder log tail --json | grep "$(warder log digest request.json)"',
  ],
  async run(input) {
    const file = oneWord(input, `say which file: warder ${usage}`)
    const digest = bodyDigest(findLogSecret(input, findDataDirectory(input)))
    print(digest(readBytes(file)))
    return 0
  },
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Problem(`${file} cannot be read: ${messageOf(error)}`)
  }
}
