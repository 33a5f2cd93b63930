// Runs a program of this repository on its own Node: `npm run bench`, `npm run soak`, `npm run mutants`.
import { dirname } from 'node:path'
import { findTestNode, install, runHere } from './install.mjs'

try {
  await install('all')
  const node = findTestNode()
  const path = { PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}` }
  const options = ['--conditions=@warder/source', '--disable-warning=ExperimentalWarning']
  process.exitCode = await runHere(node, [...options, ...process.argv.slice(2)], path)
} catch (error) {
  process.stderr.write(`\n${error.message}\n`)
  process.exitCode = 1
}
