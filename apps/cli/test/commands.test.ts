import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Command, type CommandEntry, helpOf, readInput } from '../src/command.ts'
import { commands } from '../src/commands.ts'

const loaded: (readonly [string, CommandEntry, Command])[] = await Promise.all(
  commands.map(async (entry) => [entry.name, entry, await entry.load()] as const),
)

describe('the command table', () => {
  test('no name stands twice, and none hides another', () => {
    const names = commands.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(names.filter((other) => other.startsWith(`${name} `))).toEqual([])
  })

  test.each(loaded)(
    '%s: its help shows every option that is not hidden, and an example',
    (name, entry, command) => {
      const help = helpOf(entry, command)
      expect(help).toContain(entry.summary)
      expect(help).toContain(`Usage: warder ${name}`)
      for (const [option, { says, value, hidden }] of Object.entries(command.options)) {
        if (hidden === true) continue
        expect(help).toContain(value === undefined ? `--${option}` : `--${option} ${value}`)
        expect(help).toContain(says)
      }
      expect(command.examples.length).toBeGreaterThan(0)
      for (const example of command.examples) expect(example).toMatch(new RegExp(`\\bwarder ${name}\\b`))
    },
  )

  test.each(loaded)('%s: an option that it does not know is refused', (name, _entry, command) => {
    expect(() => readInput(command, ['--isuer', 'x'])).toThrow(`See: warder ${name} --help`)
  })

  test('every problem with the arguments is one line', () => {
    const command = { usage: 'x', options: { name: { says: '', value: 'NAME' } } }
    for (const argv of [['--name'], ['--name', '-x'], ['--name=a', '--other']]) {
      const read = (): unknown => readInput(command, argv)
      expect(read).toThrow(/^[^\n]+See: warder x --help$/)
    }
    expect(readInput(command, ['--name', 'a']).options).toEqual({ name: 'a' })
  })

  test('a value that an option does not take is refused', () => {
    const command = { usage: 'x', options: { client: { says: '', value: 'ID', among: ['a', 'b'] } } }
    expect(readInput(command, ['--client', 'b']).options).toEqual({ client: 'b' })
    expect(() => readInput(command, ['--client', 'c'])).toThrow('--client takes one of: a, b.')
  })

  test('what a command does not need is not loaded', () => {
    // Each of them alone takes longer to load than everything that --help needs.
    const heavy = ['better-sqlite3', 'kysely', 'undici', 'jose', 'yaml']
    const main = join(import.meta.dirname, '..', 'src', 'main.ts')
    const report = `
      process.argv = [process.argv[0], ${JSON.stringify(main)}, '--help']
      const { registerHooks } = await import('node:module')
      registerHooks({
        resolve(specifier, context, next) {
          if (${JSON.stringify(heavy)}.includes(specifier)) console.log('LOADED ' + specifier)
          return next(specifier, context)
        },
      })
      await import(${JSON.stringify(main)})
    `
    const out = execFileSync(
      process.execPath,
      ['--conditions=@warder/source', '--input-type=module', '--eval', report],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    )
    expect(out).toContain('Commands:')
    expect(out).not.toContain('LOADED')
  })
})
