import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { refusals } from '@warder/protocol'

// Prints the reasons of the refusal catalogue that no test has met, one a line; see `test/record-refusals.ts`.
const directory = process.argv[2] ?? ''
const seen = new Set(
  readdirSync(directory).flatMap((file) => readFileSync(join(directory, file), 'utf8').split('\n')),
)
const unseen = Object.keys(refusals).filter((reason) => !seen.has(reason))
process.stdout.write(unseen.map((reason) => `no test meets the refusal ${reason}\n`).join(''))
process.exitCode = unseen.length === 0 ? 0 : 1
