import { readFileSync } from 'node:fs'
import { messageOf } from '@warder/protocol'
import { Problem } from '../problem.ts'

/** The policy file that a command is about. */
export const policyFileOf = (given: string | undefined): string => given ?? 'warder.yaml'

/** The text of a file, or a Problem that says why there is none. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Problem(`there is no ${file} here.`, 2)
    throw new Problem(`${file} cannot be read: ${messageOf(error)}`, 2)
  }
}
