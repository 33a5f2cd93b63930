// `npm test`: installs, builds and runs every test, and ends with one plain line that counts them.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findNode, install, runHere } from './install.mjs'

try {
  await install('all')
  const node = findNode()
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
  const report = join(directory, 'report.json')
  const reasons = join(directory, 'reasons')
  mkdirSync(reasons)
  try {
    process.stdout.write('— tests\n')
    const code = await runHere(
      node,
      [
        'node_modules/vitest/vitest.mjs',
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
        ...process.argv.slice(2),
      ],
      { ...environment, WARDER_REASONS: reasons },
    )
    if (!existsSync(report)) throw new Error('The tests did not run.')
    const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    )
    const skipped = testResults.flatMap((file) =>
      file.assertionResults.filter((test) => test.status === 'skipped' || test.status === 'pending'),
    )
    for (const test of skipped) process.stdout.write(`skipped: ${test.fullName}\n`)
    // Not for a part of the tests, where most reasons are rightly absent.
    const unseen =
      process.argv.length > 2
        ? 0
        : await runHere(
            node,
            ['--conditions=@warder/source', 'test/unseen-refusals.ts', reasons],
            environment,
          )
    process.stdout.write(
      `\n${numPassedTests} passed, ${numFailedTests + unseen} failed, ${numPendingTests} skipped\n`,
    )
    return code === 0 ? unseen : code
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
