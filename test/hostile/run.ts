import { parseArgs } from 'node:util'
import { negativeTests } from '../negative-tests.ts'
import { comparison } from './compare.ts'
import { rows } from './rows/index.ts'
import { countVerdicts, runTable, type TableRun } from './run-table.ts'
import { targets } from './targets/index.ts'

const help = `Runs the table of negative tests against products, and prints what came of it.

  node --conditions=@warder/source test/hostile/run.ts [--against TARGET[,TARGET…]] [--only A04] [--all] [--json]

  --against   ${Object.keys(targets).join(', ')} (default: warder); several make a comparison, one line a number
  --only      rows whose number starts like this
  --all       also what is exactly as the catalogue says
  --json      everything, as JSON

What the verdicts mean: exact, as the catalogue says; secure, refused in another form; chose otherwise, let through where
the specifications leave it open; went through; trouble, an error of the server's own or something that must not come along
with a refusal; no twin, the steps fail without the defect as well.
`

const { values } = parseArgs({
  options: {
    against: { type: 'string', default: 'warder' },
    only: { type: 'string', default: '' },
    all: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const names = values.against.split(',')
const unknown = names.filter((name) => !Object.hasOwn(targets, name))
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) process.stderr.write(`no target ${unknown.join(', ')}\n`)
  process.stdout.write(help)
  process.exitCode = unknown.length > 0 ? 2 : 0
} else {
  const runs: TableRun[] = []
  for (const name of names) runs.push(await runOne(name))
  if (values.json) process.stdout.write(`${JSON.stringify(runs, undefined, 2)}\n`)
  else if (runs.length > 1) process.stdout.write(comparison(runs))
  else for (const run of runs) printDetails(run)
  if (!values.json)
    for (const run of runs) process.stdout.write(`${run.target}: ${inWords(countVerdicts(run))}\n`)
}

async function runOne(name: string): Promise<TableRun> {
  const target = await targets[name]?.()
  if (target === undefined) throw new Error(name)
  return runTable(
    rows.filter(({ id }) => id.startsWith(values.only)),
    target,
  ).finally(() => target.stop())
}

function printDetails({ results, notApplicable }: TableRun): void {
  const severities = new Map(negativeTests.map(({ id, severity }) => [id, severity]))
  const shown = results.filter(({ verdict }) => values.all || verdict !== 'exact')
  for (const { id, what, verdict, observed, expected } of shown)
    process.stdout.write(
      `${id}  ${severities.get(id)?.padEnd(8)}  ${verdict.padEnd(15)}  ${what}: ${observed} (expected ${expected.join(' or ')})\n`,
    )
  for (const { id, lacks } of notApplicable)
    process.stdout.write(
      `${id}  ${severities.get(id)?.padEnd(8)}  not applicable   no ${lacks.join(', no ')}\n`,
    )
}

function inWords(counts: Readonly<Record<string, number>>): string {
  const words = Object.entries(counts).map(([what, count]) => `${count} ${what}`)
  return words.join(', ')
}
