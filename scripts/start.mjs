// `npm start`: installs what starting needs, then protects a sample MCP server, or the one that the arguments name.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findNode, install, root, runHere } from './install.mjs'

/** With a policy file of its own, so that `warder.yaml` is about your server. */
const samplePolicy = '.cache/sample.yaml'
const sample = [
  ...['--policy', samplePolicy, '--name', 'everything'],
  ...['--', 'node', 'node_modules/@modelcontextprotocol/server-everything/dist/index.js', 'stdio'],
]

/** A server is named by its address or its command, or by the file that says what to protect. */
const naming = /^(--url(=.*)?|--policy(=.*)?|--)$/s

try {
  await install('start')
  const given = process.argv.slice(2)
  const isSample = !given.some((word) => naming.test(word) || word === '--help' || word === '-h')
  if (isSample) mkdirSync(dirname(join(root, samplePolicy)), { recursive: true })
  process.exitCode = await runHere(findNode(), [
    '--conditions=@warder/source',
    '--disable-warning=ExperimentalWarning',
    join(root, 'apps', 'cli', 'src', 'main.ts'),
    'protect',
    ...given,
    ...(isSample ? sample : []),
  ])
} catch (error) {
  process.stderr.write(`\n${error.message}\n`)
  process.exitCode = 1
}
