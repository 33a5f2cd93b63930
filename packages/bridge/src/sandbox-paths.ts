import { existsSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, delimiter, dirname, isAbsolute, join, resolve, sep } from 'node:path'

/** Files that stand at the root of a program's own directory. */
const marks: readonly string[] = ['package.json', 'pyproject.toml', 'pyvenv.cfg', 'deno.json']
const neverWhole: readonly string[] = ['/', '/tmp', '/proc', '/dev', '/home/mcp']

/**
 * Finds what a command needs of the file system besides the system itself: the working directory, and for its program and
 * each argument that names a file or directory, the installation that it belongs to. Never the user's home as a whole, nor
 * anything above it. Absolute paths, the outer ones before the inner ones.
 */
export function findOwnDirectories(command: readonly string[], cwd: string): readonly string[] {
  const [program = '', ...rest] = command
  const named = rest.map((argument) => resolve(cwd, argument)).filter((path) => existsSync(path))
  const paths = [findProgram(program, cwd), ...named]
    .filter((path) => path !== undefined)
    // A link leads to where the files are, and is itself found where it stands.
    .flatMap((path) => [path, realpathSync(path)])
    .map(findInstallation)
  const all = [cwd, ...paths].filter((path) => !isTooWide(path))
  return [...new Set(all)].sort((a, b) => a.length - b.length)
}

function findProgram(program: string, cwd: string): string | undefined {
  if (program.includes(sep)) return existsSync(resolve(cwd, program)) ? resolve(cwd, program) : undefined
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute)
  return directories.map((directory) => join(directory, program)).find((path) => existsSync(path))
}

/** `…/node_modules/x/dist/index.js` needs what is installed beside it; a program in `bin` needs what lies beside `bin`. */
function findInstallation(path: string): string {
  if (statSync(path).isDirectory()) return path
  const [before, ...packages] = path.split(`${sep}node_modules${sep}`)
  if (packages.length > 0) return `${before}${sep}node_modules`
  for (let place = dirname(path); !isTooWide(place); place = dirname(place)) {
    if (marks.some((mark) => existsSync(join(place, mark)))) return place
  }
  const place = basename(dirname(path)) === 'bin' ? dirname(dirname(path)) : dirname(path)
  return isTooWide(place) ? path : place
}

function isTooWide(path: string): boolean {
  return [...neverWhole, homedir()].some(
    (wide) => wide === path || wide.startsWith(path === '/' ? path : `${path}/`),
  )
}
