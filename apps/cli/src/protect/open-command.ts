import { createStdioHost, SandboxProblem, type StdioHost } from '@warder/bridge'
import { note } from '../output.ts'
import { Problem } from '../problem.ts'
import { childEnvironment } from './child-environment.ts'
import { logToTerminal } from './log-to-terminal.ts'

/** How commands are run that `warder protect` protects. */
export interface Hosting {
  /** One child for all users. */
  readonly share: boolean
  /** What a sandboxed child must not see; undefined: no sandbox. */
  readonly sandbox: { readonly hidden: readonly string[] } | undefined
}

/** Opens the host of a stdio server. What cannot be had, such as a sandbox without bubblewrap, is one clear line. */
export function openCommand(
  server: { readonly name: string; readonly run: readonly string[]; readonly env: readonly string[] },
  { share, sandbox }: Hosting,
): StdioHost {
  const { name, run, env } = server
  if (share) note(sharedWarning(name))
  try {
    return createStdioHost({
      command: run,
      env: childEnvironment({ name, env }),
      share,
      ...(sandbox === undefined ? {} : { sandbox }),
      log: logToTerminal,
    })
  } catch (error) {
    if (error instanceof SandboxProblem) throw new Problem(`--sandbox: ${error.message}`)
    throw error
  }
}

function sharedWarning(name: string): string {
  return `Warning: --share: one process of ${name} serves all users. What it keeps in memory or in files, one user may get from another.`
}
