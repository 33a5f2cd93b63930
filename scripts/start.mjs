// `npm start`: installs what starting needs, then protects a sample MCP server, or the one that the arguments name.
import { join } from 'node:path'
import { findNode, install, root, runHere } from './install.mjs'

const sample = [
  '--name',
  'everything',
  '--',
  'node',
  'node_modules/@modelcontextprotocol/server-everything/dist/index.js',
  'stdio',
]

try {
  await install('start')
  const given = process.argv.slice(2)
  const namesServer = given.some(
    (argument) => argument === '--url' || argument.startsWith('--url=') || argument === '--',
  )
  const asksHelp = given.includes('--help') || given.includes('-h')
  process.exitCode = await runHere(findNode(), [
    '--conditions=@warder/source',
    '--disable-warning=ExperimentalWarning',
    join(root, 'apps', 'cli', 'src', 'main.ts'),
    'protect',
    ...given,
    ...(namesServer || asksHelp ? [] : sample),
  ])
} catch (error) {
  process.stderr.write(`\n${error.message}\n`)
  process.exitCode = 1
}
