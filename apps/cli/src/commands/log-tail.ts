import { type LogRecord, readDecisionLog } from '@warder/gateway'
import type { Command } from '../command.ts'
import { paint, plain, print } from '../output.ts'
import { Problem } from '../problem.ts'
import { dataOptions, dataUsage, findDataDirectory } from '../with-store.ts'

export const logTail: Command = {
  usage: `log tail [--follow] [--lines N] [--json] ${dataUsage}`,
  options: {
    follow: { short: 'f', says: 'Go on with what comes, until Ctrl-C' },
    lines: { value: 'N', short: 'n', says: 'Start with the last N records (default: 20)' },
    json: { says: 'One JSON object a line' },
    ...dataOptions,
  },
  examples: [
    'warder log tail',
    'warder log tail --follow',
    'warder log tail --json --lines 1000 | jq .target',
  ],
  async run(input) {
    const lines = input.options['lines'] ?? '20'
    if (!/^\d{1,9}$/.test(lines)) throw new Problem('--lines takes a number.', 2)
    const { log } = findDataDirectory(input)
    const stop = new AbortController()
    process.once('SIGINT', () => stop.abort())
    const follow = input.switches.has('follow')
    for await (const record of readDecisionLog(log, { last: Number(lines), follow, signal: stop.signal })) {
      print(input.switches.has('json') ? JSON.stringify(record) : inWords(record))
    }
    return 0
  },
}

/** One record as one line for a person. */
function inWords(record: LogRecord): string {
  const time = paint('dim', record.at.replace('T', ' ').slice(0, 19))
  return `${time}  ${wordsOf(record)}`
}

function wordsOf(record: LogRecord): string {
  switch (record.kind) {
    case 'decision': {
      const colour = record.outcome === 'open' ? 'green' : 'red'
      const who = `${record.subject ?? 'somebody'} with ${record.client ?? 'an unknown client'}`
      const what = [record.server, record.method, record.target]
        .filter((part) => part !== undefined)
        .join(' ')
      const why = record.reason ?? record.because ?? ''
      return `${paint(colour, record.outcome.padEnd(7))} ${plain(what)}  ${plain(who)}  ${paint('dim', plain(why))}`
    }
    case 'outcome':
      return paint(
        'dim',
        `        ${record.status}, ${record.durationMs} ms, ${record.bytes} bytes${record.error === undefined ? '' : `, ${record.error}`}`,
      )
    case 'count':
      return `${paint('yellow', 'refused')} ${record.count} × ${record.reason} at ${record.server}, first from ${record.peer ?? 'unknown'}`
    case 'repair':
      return `${paint('yellow', 'repair ')} ${plain(record.file)}: an unfinished line was taken out`
    case 'loss':
      return `${paint('yellow', 'loss   ')} ${record.count} records could not be written while the disk was full`
  }
}
