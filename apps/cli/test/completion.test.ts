import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { commands } from '../src/commands.ts'
import { type Completable, completionScript, shells } from '../src/completion-script.ts'

const known: Completable[] = await Promise.all(
  commands.map(async ({ name, summary, load }) => ({ name, summary, options: (await load()).options })),
)

/** What bash offers at the end of a command line. */
function complete(line: string): string[] {
  const words = line.split(' ')
  const program = `
    eval "$(cat)"
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
    COMP_CWORD=${words.length - 1}
    _warder
    printf '%s\\n' "\${COMPREPLY[@]}"
  `
  const out = execFileSync('bash', ['--norc', '-c', program], {
    input: completionScript('bash', known),
    encoding: 'utf8',
    cwd: import.meta.dirname,
  })
  return out.split('\n').filter((word) => word !== '')
}

describe('completion in bash', () => {
  const firstWords = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))]

  test('the first word: every command', () => {
    expect(complete('warder ').toSorted()).toEqual([...firstWords, '--help', '--version'].toSorted())
    expect(complete('warder pro').toSorted()).toEqual(['protect', 'prove'])
  })

  test.each(known.filter(({ name }) => name.includes(' ')))('$name: the second word', ({ name }) => {
    const [first, second] = name.split(' ')
    expect(complete(`warder ${first} `)).toContain(second)
  })

  test.each(known)('$name: its options and no others', ({ name, options }) => {
    const offered = [...Object.keys(options), 'help'].map((option) => `--${option}`)
    expect(complete(`warder ${name} -`).toSorted()).toEqual(offered.toSorted())
    expect(complete(`warder ${name} --help -`).toSorted()).toEqual(offered.toSorted())
  })

  test('values: words where they are known, files where they are not', () => {
    expect(complete('warder setup --client c')).toEqual(['claude-code', 'cursor', 'codex'])
    expect(complete('warder protect --policy completion')).toEqual(['completion.test.ts'])
  })
})

test.each(shells)('the script for %s knows every command and option', (shell) => {
  const script = completionScript(shell, known)
  for (const { name, options } of known) {
    for (const word of name.split(' ')) expect(script).toContain(word)
    for (const option of Object.keys(options)) {
      expect(script).toContain(shell === 'fish' ? `-l ${option}` : `--${option}`)
    }
  }
})
