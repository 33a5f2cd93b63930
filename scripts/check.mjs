// `npm run check`: lint, types and unit tests, in under a minute, for every change.
import { dirname } from 'node:path'
import { findTestNode, install, runHere } from './install.mjs'

const steps = [
  ['node_modules/@biomejs/biome/bin/biome', 'check', '.'],
  ['node_modules/typescript/bin/tsc', '-b'],
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json'],
  // Test files share their modules here, which halves the time; `npm test` isolates them.
  ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--no-isolate'],
]

await install('all')
const node = findTestNode()
const environment = { PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}` }
for (const step of steps) {
  const code = await runHere(node, step, environment)
  if (code !== 0) {
    process.exitCode = code
    break
  }
}
