import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { basename, delimiter, isAbsolute, join } from 'node:path'

/** A program that opens a web address, and what stands before the address. */
export interface Browser {
  readonly program: string
  readonly args: readonly string[]
}

/** Where to look for one. */
export interface Desktop {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
}

/** Browsers that want a terminal, which they would not get. */
const textBrowsers: ReadonlySet<string> = new Set(['lynx', 'w3m', 'links', 'links2', 'elinks', 'www-browser'])

/**
 * The program that opens addresses here, or in words why there is none. `WARDER_BROWSER` or `BROWSER` is one program, as a path
 * or a name on `PATH`; a list of several, or one with arguments, is not understood. Without it: nothing in CI, nothing over SSH
 * or on Linux without a display, else the program of the system, by its absolute path.
 */
export function findBrowser(desktop: Desktop): Browser | { readonly missing: string } {
  const { env, platform } = desktop
  const own = env['WARDER_BROWSER']
  if (own !== undefined && own !== '') {
    const program = findProgram(own, env)
    return program === undefined ? { missing: 'WARDER_BROWSER names no program' } : { program, args: [] }
  }
  const named = findProgram(env['BROWSER'] ?? '', env)
  if (named !== undefined && !textBrowsers.has(basename(named))) return { program: named, args: [] }
  if (isSet(env['CI'])) return { missing: 'this is a CI job' }
  const hasDisplay = isSet(env['DISPLAY']) || isSet(env['WAYLAND_DISPLAY'])
  const isRemote = ['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY'].some((name) => isSet(env[name]))
  if (isRemote && !hasDisplay) return { missing: 'you are connected by SSH' }
  const system = systems[platform] ?? onLinux
  return system(env, hasDisplay)
}

type Find = (env: Desktop['env'], hasDisplay: boolean) => Browser | { readonly missing: string }

const onLinux: Find = (env, hasDisplay) => {
  if (isWindowsSubsystem(env)) return onWindowsSubsystem(env)
  if (!hasDisplay) return { missing: 'there is no display' }
  const program = findProgram('xdg-open', env)
  return program === undefined ? { missing: 'xdg-open is not installed' } : { program, args: [] }
}

// No `cmd /c start`: it reads `&`, `^` and `%…%` in an address.
const rundll = ['url.dll,FileProtocolHandler']

const systems: Readonly<Partial<Record<NodeJS.Platform, Find>>> = {
  darwin: () => ({ program: '/usr/bin/open', args: [] }),
  win32: (env) => ({
    program: `${env['SystemRoot'] ?? 'C:\\Windows'}\\System32\\rundll32.exe`,
    args: rundll,
  }),
}

function onWindowsSubsystem(env: Desktop['env']): Browser | { readonly missing: string } {
  const wslview = findProgram('wslview', env)
  if (wslview !== undefined) return { program: wslview, args: [] }
  const program = '/mnt/c/Windows/System32/rundll32.exe'
  return isProgram(program) ? { program, args: rundll } : { missing: 'Windows cannot be reached from WSL' }
}

function isWindowsSubsystem(env: Desktop['env']): boolean {
  if (isSet(env['WSL_DISTRO_NAME']) || isSet(env['WSL_INTEROP'])) return true
  try {
    return /microsoft/i.test(readFileSync('/proc/sys/kernel/osrelease', 'utf8'))
  } catch {
    return false
  }
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '' && value !== 'false'

/** An absolute path, or a name looked up in the absolute directories of `PATH`: never what lies in the working directory. */
function findProgram(name: string, env: Desktop['env']): string | undefined {
  if (isAbsolute(name)) return isProgram(name) ? name : undefined
  if (!/^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(name)) return undefined
  const directories = (env['PATH'] ?? '').split(delimiter).filter((directory) => isAbsolute(directory))
  return directories.map((directory) => join(directory, name)).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
