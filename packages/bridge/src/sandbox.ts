import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { findOwnDirectories } from './sandbox-paths.ts'

/** What a sandbox must know about where it stands. */
export interface SandboxOptions {
  /** What the child cannot read wherever it lies, such as Warder's state: directories and files. They must exist. */
  readonly hidden: readonly string[]
}

/** There is no sandbox to be had; the message says why, in a line for the operator. */
export class SandboxProblem extends Error {
  override readonly name = 'SandboxProblem'
}

const home = '/home/mcp'
const system: readonly string[] = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/nix/store',
]
/** What programs look up at run time. Not the whole of /etc: as root, a child could read its keys. */
const lookedUp: readonly string[] = [
  '/etc/alternatives',
  '/etc/ca-certificates',
  '/etc/group',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/localtime',
  '/etc/nsswitch.conf',
  '/etc/passwd',
  '/etc/pki/tls/certs',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
]
const tmpfsBytes = 256 * 1024 * 1024

/**
 * Makes what starts a command in a bubblewrap sandbox: no network, namespaces of its own (user, pid, ipc, uts, mount), no
 * capabilities, a read-only system, an empty home and /tmp of 256 MiB each that end with it. Of all other files it sees,
 * read-only, the installations of its program and its arguments and the working directory. It ends with Warder, and all that
 * it has started ends with it. Tries once whether bubblewrap works here. Throws `SandboxProblem`. Does not limit
 * memory, processor time or the number of processes, and filters no system calls.
 */
export function makeSandbox(
  options: SandboxOptions & { readonly command: readonly string[]; readonly cwd: string },
): { readonly wrapper: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const bubblewrap = findBubblewrap()
  const help = spawnSync(bubblewrap, ['--help'], { encoding: 'utf8' })
  const has = (option: string): boolean => `${help.stdout}${help.stderr}`.includes(option)
  const isSystem = (path: string): boolean => system.some((directory) => isWithin(path, directory))
  const own = findOwnDirectories(options.command, options.cwd).filter((path) => !isSystem(path))
  const size = has('--size') ? ['--size', String(tmpfsBytes)] : []

  const wrapper = [
    bubblewrap,
    ...['--unshare-all', '--unshare-user', '--die-with-parent', '--cap-drop', 'ALL'],
    // Who may make further user namespaces has more of the kernel to attack.
    ...(has('--disable-userns') ? ['--disable-userns'] : []),
    ...[...system, ...lookedUp].flatMap((path) => ['--ro-bind-try', path, path]),
    ...['--proc', '/proc', '--dev', '/dev', ...size, '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ...[...size, '--tmpfs', '/tmp', ...size, '--tmpfs', home],
    ...own.flatMap((path) => ['--ro-bind', path, path]),
    ...options.hidden.flatMap((path) => hide(path, own)),
    ...['--remount-ro', '/', '--hostname', 'sandbox'],
    ...['--chdir', own.some((path) => isWithin(options.cwd, path)) ? options.cwd : home],
    '--',
  ]
  tryOut(wrapper)
  return { wrapper, env: { HOME: home, TMPDIR: '/tmp' } }
}

function findBubblewrap(): string {
  if (process.platform !== 'linux')
    throw new SandboxProblem('the sandbox needs bubblewrap, which runs on Linux only.')
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute)
  const found = directories.map((directory) => join(directory, 'bwrap')).find(existsSync)
  if (found === undefined) {
    throw new SandboxProblem(
      'the sandbox needs bubblewrap, and there is no bwrap on the PATH. Install it, for example by: apt-get install bubblewrap',
    )
  }
  return found
}

/** Covers a path under all the names that it has in the sandbox: a directory that is reached by a link has two. */
function hide(given: string, own: readonly string[]): readonly string[] {
  const path = findHidden(given)
  const names = own
    .map((directory) => [directory, realpathSync(directory)] as const)
    .filter(([, real]) => isWithin(path, real))
    .map(([directory, real]) => directory + path.slice(real.length))
  const isDirectory = statSync(path).isDirectory()
  return [...new Set([path, ...names])].flatMap((name) =>
    isDirectory ? ['--tmpfs', name, '--remount-ro', name] : ['--ro-bind', '/dev/null', name],
  )
}

/** What is not there yet would appear later, in sight of the child. */
function findHidden(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    throw new SandboxProblem(`${path} cannot be hidden from the sandbox: it does not exist.`)
  }
}

/** Namespaces may be forbidden here, as in many containers. Better said at the start than at the first call. */
function tryOut(wrapper: readonly string[]): void {
  const [program = '', ...rest] = wrapper
  const { status, stderr, error } = spawnSync(program, [...rest, '/bin/sh', '-c', ':'], { encoding: 'utf8' })
  if (status === 0) return
  const words = (error?.message ?? stderr).trim().split('\n').at(-1)
  throw new SandboxProblem(`bubblewrap is installed, but does not work here: ${words}`)
}

const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(`${directory}/`)
