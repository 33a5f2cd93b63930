import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { changedLines } from './changed-lines.ts'
import { groups } from './groups.ts'
import { reasons } from './reasons.ts'

/**
 * `npm run mutants [-- GROUP…]`: breaks each condition of the security-critical files, one at a time, and runs the tests of
 * that package. A condition that can be broken without a test failing is a missing test, or has a reason in `reasons.ts`.
 */
const help = `Usage: npm run mutants [-- GROUP… [--since REVISION] [--concurrency N] [--json]]

Breaks conditions one by one and shows those that no test misses. Exit code 1 when there are any.
With --since, only in lines that differ from a git revision.

Groups: ${Object.keys(groups).join(', ')} (default: all)
`

/** What does not change a decision: the words of messages, the shape of values that types hold already. */
const notMutated = [
  'ArithmeticOperator',
  'ArrayDeclaration',
  'ArrowFunction',
  'AssignmentOperator',
  'ObjectLiteral',
  'StringLiteral',
  'UnaryOperator',
  'UpdateOperator',
]

type LogLevel = NonNullable<ConstructorParameters<typeof Stryker>[0]['logLevel']>
type MutantResult = Awaited<ReturnType<Stryker['runMutationTest']>>[number]

const root = join(import.meta.dirname, '..', '..')

interface Survivor {
  readonly group: string
  readonly file: string
  readonly line: number
  readonly mutator: string
  readonly code: string
  readonly by: string
}

async function runGroup(
  group: string,
  { since, concurrency }: { readonly since: string | undefined; readonly concurrency: number },
): Promise<readonly MutantResult[]> {
  const { mutate: files, tests } = groups[group]!
  const mutate = since === undefined ? files : changedLines(files, since, root)
  if (mutate.length === 0) return []
  process.env['WARDER_MUTANT_TESTS'] = tests.join(',')
  const stryker = new Stryker({
    mutate: [...mutate],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'test/mutants/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    mutator: { excludedMutations: notMutated },
    concurrency,
    timeoutMS: 20_000,
    reporters: [],
    // Stryker would rewrite it with the JavaScript interface of TypeScript, which version 7 does not have.
    tsconfigFile: 'there-is-none.json',
    tempDirName: '.stryker',
    ignorePatterns: ['docs', 'examples', 'deploy', 'bench', '.cache', '.stryker'],
    disableTypeChecks: false,
    checkers: [],
    logLevel: 'error' as LogLevel,
  })
  return stryker.runMutationTest()
}

function describeSurvivor(
  group: string,
  { fileName, location, mutatorName, replacement }: MutantResult,
): Survivor {
  const { start, end } = location
  // Lines and columns count from 1; the end is behind the last character.
  const lines = readFileSync(fileName, 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line)
  lines[lines.length - 1] = lines.at(-1)!.slice(0, end.column - 1)
  lines[0] = lines[0]!.slice(start.column - 1)
  return {
    group,
    file: relative(root, fileName),
    line: start.line,
    mutator: mutatorName,
    code: lines.join('\n'),
    by: replacement ?? '',
  }
}

const isExplained = ({ file, code, by }: Survivor): boolean =>
  reasons.some((reason) => reason.file === file && reason.code === code && reason.by === by)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h' },
    json: { type: 'boolean' },
    concurrency: { type: 'string', default: '1' },
    since: { type: 'string' },
  },
})
const unknown = positionals.filter((name) => !(name in groups))
if (values.help || unknown.length > 0) {
  process.stdout.write(unknown.length > 0 ? `There is no group ${unknown.join(', ')}.\n\n${help}` : help)
  process.exit(unknown.length > 0 ? 2 : 0)
}

const survivors: Survivor[] = []
for (const group of positionals.length > 0 ? positionals : Object.keys(groups)) {
  const started = Date.now()
  const made = await runGroup(group, {
    since: values.since,
    concurrency: Number(values.concurrency),
  })
  const results = made.filter(({ status }) => status !== 'Ignored')
  const alive = results
    .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
    .map((result) => describeSurvivor(group, result))
  const unexplained = alive.filter((survivor) => !isExplained(survivor))
  survivors.push(...unexplained)
  const seconds = Math.round((Date.now() - started) / 1000)
  process.stderr.write(
    `${group}: ${results.length} mutants, ${results.length - alive.length} noticed, ${alive.length - unexplained.length} explained, ${unexplained.length} survived (${seconds} s)\n`,
  )
  if (values.json) continue
  for (const { file, line, mutator, code, by } of unexplained)
    process.stdout.write(`\n${file}:${line} ${mutator}\n- ${code}\n+ ${by}\n`)
}
if (values.json) process.stdout.write(`${JSON.stringify(survivors, undefined, 2)}\n`)
process.exitCode = survivors.length > 0 ? 1 : 0
