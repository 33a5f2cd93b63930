import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivateFile } from '@warder/private-files'
import type { DataDirectory } from '../data-directory.ts'
import { Problem } from '../problem.ts'

/** Remembers under which address this state is served, for commands that make links. */
export function writeAddress(directory: Pick<DataDirectory, 'path'>, publicUrl: string): void {
  writePrivateFile(join(directory.path, 'address'), `${publicUrl}\n`)
}

/** The address of the last start. */
export function readAddress(directory: Pick<DataDirectory, 'path'>): string {
  const file = join(directory.path, 'address')
  if (!existsSync(file))
    throw new Problem(`nothing was served from ${directory.path} yet. Start warder protect first.`)
  return readFileSync(file, 'utf8').trim()
}
