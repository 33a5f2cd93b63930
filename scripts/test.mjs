// `npm test`: installs, builds and runs every test, and ends with one plain line that counts them.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findTestNode, install, runHere } from './install.mjs'

/** Projects of vitest that run one file after another: beside each other they use both cores of a small machine. */
const halves = [['--project=!beside'], ['--project=beside']]

try {
  await install('all')
  const node = findTestNode()
  const path = { PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}` }
  const steps = [
    ['lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '.']],
    ['build', ['node_modules/typescript/bin/tsc', '-b']],
    ['types of tests', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json']],
  ]
  for (const [name, command] of steps) {
    process.stdout.write(`— ${name}\n`)
    const code = await runHere(node, command, path)
    if (code !== 0) throw new Error(`${name} failed`)
  }
  process.exitCode = await runTests(node, path)
} catch (error) {
  process.stderr.write(`\n${error.message}\n`)
  process.exitCode = 1
}

async function runTests(node, environment) {
  const directory = mkdtempSync(join(tmpdir(), 'warder-test-'))
  const reasons = join(directory, 'reasons')
  mkdirSync(reasons)
  const more = process.argv.slice(2)
  const isPart = more.length > 0
  try {
    process.stdout.write('— tests\n')
    const runs = (isPart ? [more] : halves).map((arguments_, at) => ({
      report: join(directory, `report-${at}.json`),
      arguments_,
    }))
    const codes = await Promise.all(
      runs.map(({ report, arguments_ }) =>
        runHere(
          node,
          [
            'node_modules/vitest/vitest.mjs',
            'run',
            '--reporter=default',
            '--reporter=json',
            `--outputFile.json=${report}`,
            ...arguments_,
          ],
          { ...environment, WARDER_REASONS: reasons },
        ),
      ),
    )
    const reports = runs.map(({ report }) => {
      if (!existsSync(report)) throw new Error('The tests did not run.')
      return JSON.parse(readFileSync(report, 'utf8'))
    })
    const sum = (name) => reports.reduce((total, report) => total + report[name], 0)
    const skipped = reports
      .flatMap(({ testResults }) => testResults)
      .flatMap((file) =>
        file.assertionResults.filter((test) => test.status === 'skipped' || test.status === 'pending'),
      )
    for (const test of skipped) process.stdout.write(`skipped: ${test.fullName}\n`)
    // Not for a part of the tests, where most reasons are rightly absent.
    const unseen = isPart
      ? 0
      : await runHere(node, ['--conditions=@warder/source', 'test/unseen-refusals.ts', reasons], environment)
    process.stdout.write(
      `\n${sum('numPassedTests')} passed, ${sum('numFailedTests') + unseen} failed, ${sum('numPendingTests')} skipped\n`,
    )
    return codes.find((code) => code !== 0) ?? unseen
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
