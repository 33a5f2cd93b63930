import type { Command, CommandEntry } from '../command.ts'
import { completionScript, shells } from '../completion-script.ts'
import { oneWord } from '../one-word.ts'
import { print } from '../output.ts'
import { Problem } from '../problem.ts'

/** The command that describes all of them; they are handed in, since their table names this one too. */
export const completionOf = (commands: readonly CommandEntry[]): Command => ({
  usage: 'completion SHELL',
  options: {},
  examples: [
    'source <(warder completion bash)',
    'source <(warder completion zsh)',
    'warder completion fish | source',
  ],
  async run(input) {
    const which = `say which shell: ${shells.join(', ')}`
    const shell = shells.find((each) => each === oneWord(input, which))
    if (shell === undefined) throw new Problem(which, 2)
    const known = await Promise.all(
      commands.map(async ({ name, summary, load }) => ({ name, summary, options: (await load()).options })),
    )
    print(completionScript(shell, known).trimEnd())
    return 0
  },
})
