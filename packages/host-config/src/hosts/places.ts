import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, posix, win32 } from 'node:path'
import type { Host, Scope } from '../server-config.ts'

/** What decides where files are. */
export interface HostPlaces {
  /** The directory that the user is in; absolute. */
  readonly cwd: string
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  /**
   * Where managed files are, for tests. A program must not take it from its environment: that would switch
   * policy off.
   */
  readonly managedRoot?: string
}

/** A file with a table of servers. */
export interface ListPlace {
  readonly host: Host
  readonly scope: Scope
  readonly file: string
  /** The keys that lead to the table. */
  readonly path: readonly string[]
}

/**
 * The directory of the project: what Claude Code says it is, else the nearest one above with a `.git`, else
 * where we are.
 */
export function findProject({ cwd, env, home }: HostPlaces): string {
  const told = env['CLAUDE_PROJECT_DIR']
  if (told !== undefined && told !== '') return told
  for (let at = cwd; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at
    if (at === home || at === dirname(at)) return cwd
  }
}

/** Where Claude Code keeps what belongs to the user: `settings.json`, `plugins`. */
export function claudeDirectory({ env, home }: HostPlaces): string {
  return env['CLAUDE_CONFIG_DIR'] || join(home, '.claude')
}

/** The file with Claude Code's user and local tables, approvals and trust. */
export function claudeUserFile({ env, home }: HostPlaces): string {
  return join(env['CLAUDE_CONFIG_DIR'] || home, '.claude.json')
}

/** Where an administrator puts files for Claude Code. The old `C:\ProgramData\ClaudeCode` is not read. */
export function managedDirectory({ platform, managedRoot }: HostPlaces): string {
  if (managedRoot !== undefined) return managedRoot
  if (platform === 'darwin') return posix.join('/', 'Library', 'Application Support', 'ClaudeCode')
  return platform === 'win32' ? win32.join('C:\\', 'Program Files', 'ClaudeCode') : '/etc/claude-code'
}

/** Warder's own directory for what the user decides; nothing of a checkout is ever in it. */
export function warderDirectory({ platform, env, home }: HostPlaces): string {
  const own = env['WARDER_CONFIG_DIR']
  if (own) return own
  return join(applicationDirectory({ platform, env, home }, 'XDG_CONFIG_HOME'), 'warder')
}

function applicationDirectory(
  { platform, env, home }: Pick<HostPlaces, 'platform' | 'env' | 'home'>,
  variable: string,
): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support')
  if (platform === 'win32') return env['APPDATA'] || join(home, 'AppData', 'Roaming')
  const given = env[variable]
  // A relative one is invalid (XDG base directory specification), and would lead into the work tree.
  return given !== undefined && isAbsolute(given) ? given : join(home, '.config')
}

/**
 * The file that holds a scope of a host; undefined when the host has no such scope, or nobody but an
 * administrator writes it.
 */
export function listPlace(host: Host, scope: Scope, places: HostPlaces): ListPlace | undefined {
  const project = findProject(places)
  const { home, env } = places
  const applications = applicationDirectory(places, 'XDG_CONFIG_HOME')
  const list = (file: string, ...path: readonly string[]): ListPlace => ({ host, scope, file, path })
  const files: Readonly<Record<Host, Partial<Record<Scope, () => ListPlace>>>> = {
    warder: { user: () => list(join(warderDirectory(places), 'servers.json'), 'mcpServers') },
    'claude-code': {
      local: () => list(claudeUserFile(places), 'projects', project, 'mcpServers'),
      project: () => list(join(project, '.mcp.json'), 'mcpServers'),
      user: () => list(claudeUserFile(places), 'mcpServers'),
    },
    'claude-desktop': {
      user: () => list(join(applications, 'Claude', 'claude_desktop_config.json'), 'mcpServers'),
    },
    vscode: {
      project: () => list(join(project, '.vscode', 'mcp.json'), 'servers'),
      user: () => list(join(applications, 'Code', 'User', 'mcp.json'), 'servers'),
    },
    cursor: {
      project: () => list(join(project, '.cursor', 'mcp.json'), 'mcpServers'),
      user: () => list(join(home, '.cursor', 'mcp.json'), 'mcpServers'),
    },
    codex: {
      project: () => list(join(project, '.codex', 'config.toml'), 'mcp_servers'),
      user: () => list(join(env['CODEX_HOME'] || join(home, '.codex'), 'config.toml'), 'mcp_servers'),
    },
    gemini: {
      project: () => list(join(project, '.gemini', 'settings.json'), 'mcpServers'),
      user: () => list(join(home, '.gemini', 'settings.json'), 'mcpServers'),
    },
  }
  return files[host][scope]?.()
}
