import { type LogHead, type LogProblem, type LogVerification, verifyDecisionLog } from '@warder/gateway'
import type { Command } from '../command.ts'
import { paint, print } from '../output.ts'
import { Problem } from '../problem.ts'
import { findDataDirectory } from '../with-store.ts'
import { findLogSecret, secretOptions, secretUsage } from './log-secret.ts'

export const logVerify: Command = {
  usage: `log verify [--against CHECKPOINT] [--checkpoint] [--json] ${secretUsage}`,
  options: {
    against: { value: 'CHECKPOINT', says: 'An earlier checkpoint that must still be in the log' },
    checkpoint: { says: 'Print the checkpoint alone, to be kept elsewhere' },
    json: { says: 'Print one JSON object' },
    ...secretOptions,
  },
  examples: [
    'warder log verify',
    'warder log verify --checkpoint >> /mnt/elsewhere/warder-checkpoints',
    'warder log verify --against 1024:q83vEjRWeJCrze8SNFZ4kA',
  ],
  async run(input) {
    const checkpoint = readCheckpoint(input.options['against'])
    const directory = findDataDirectory(input)
    const secret = findLogSecret(input, directory)
    const found = await verifyDecisionLog(directory.log, {
      secret,
      ...(checkpoint === undefined ? {} : { checkpoint }),
    })
    const isWhole = found.problems.length === 0
    if (input.switches.has('json')) {
      print(JSON.stringify({ ...found, checkpoint: formatCheckpoint(found.checkpoint) }))
    } else if (input.switches.has('checkpoint')) {
      // A log that does not hold together must not become the measure of a later one.
      if (!isWhole) throw new Problem('the log does not hold together. See: warder log verify')
      print(formatCheckpoint(found.checkpoint) ?? '')
    } else {
      print(inWords(found))
    }
    return isWhole ? 0 : 1
  },
}

function readCheckpoint(text: string | undefined): LogHead | undefined {
  if (text === undefined) return undefined
  const [, n, mac] = /^([1-9]\d{0,14}):([\w-]{22})$/.exec(text.trim()) ?? []
  if (n === undefined || mac === undefined)
    throw new Problem('--against takes a checkpoint as warder log verify --checkpoint prints it.', 2)
  return { n: Number(n), mac }
}

function formatCheckpoint(head: LogHead | undefined): string | undefined {
  return head === undefined ? undefined : `${head.n}:${head.mac}`
}

function inWords({ files, records, first, checkpoint, problems }: LogVerification): string {
  if (problems.length > 0 && records === 0)
    return `${paint('red', 'nothing proven')}: no line was written under this secret.`
  if (problems.length > 0) return problems.map(problemInWords).join('\n')
  if (first === undefined) return 'The log is empty.'
  return [
    `${paint('green', 'whole')}: ${records} records in ${files} ${files === 1 ? 'file' : 'files'}, none changed, removed, added or moved.`,
    ...(first === 1
      ? []
      : [`It begins with record ${first}: those before were taken away with their files.`]),
    `Checkpoint: ${formatCheckpoint(checkpoint)}`,
    'Keep it elsewhere: only against an earlier checkpoint can be seen that the end was cut off (--against).',
  ].join('\n')
}

function problemInWords(problem: LogProblem): string {
  const place = problem.file === '' ? 'the log' : `${problem.file}:${problem.line}`
  return `${paint('red', problem.kind.padEnd(9))} ${place}: ${wordsOf(problem)}`
}

function wordsOf({ kind, from, to }: LogProblem): string {
  switch (kind) {
    case 'altered':
      return 'this line is not the record that was written here'
    case 'inserted':
      return 'this line was never written by Warder'
    case 'missing':
      if (from === undefined)
        return `the records of this file in front of this line, up to ${to}, are missing`
      return from === to
        ? `record ${from} is missing before this line`
        : `records ${from} to ${to} are missing before this line`
    case 'moved':
      return `record ${from} stands here, behind later ones`
    case 'restarted':
      return 'a new log begins here'
    case 'other':
      return 'this record was written behind another one than the one before it'
    case 'cut':
      return `the log ends here without record ${from} of the checkpoint`
    case 'gone':
      return `record ${from} of the checkpoint was taken away with its file; take a newer checkpoint`
  }
}
