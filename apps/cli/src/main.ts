#!/usr/bin/env node
import { type CommandEntry, helpOf, readInput } from './command.ts'
import { commands } from './commands.ts'
import { note, print, table } from './output.ts'
import { Problem } from './problem.ts'
import { version } from './version.ts'

process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  try {
    return await runCommand(argv)
  } catch (error) {
    if (error instanceof Problem) {
      note(`warder: ${error.message}`)
      return error.exitCode
    }
    note(
      `warder: something unexpected happened; please report it with these lines.\n${error instanceof Error ? error.stack : String(error)}`,
    )
    return 70
  }
}

async function runCommand(argv: readonly string[]): Promise<number> {
  if (argv[0] === '--version' || argv[0] === '-v') {
    print(version)
    return 0
  }
  if (argv.length === 0 || argv[0] === '--help' || argv[0] === '-h' || argv[0] === 'help') {
    print(overview())
    return 0
  }
  const entry = findEntry(argv)
  const command = await entry.load()
  const input = readInput(command, argv.slice(entry.name.split(' ').length))
  if (input.switches.has('help')) {
    print(helpOf(entry, command))
    return 0
  }
  return command.run(input)
}

function findEntry(argv: readonly string[]): CommandEntry {
  const entry = commands.find(({ name }) => name.split(' ').every((word, place) => argv[place] === word))
  if (entry !== undefined) return entry
  const group = commands.filter(({ name }) => name.startsWith(`${argv[0]} `)).map(({ name }) => name)
  if (group.length > 0) throw new Problem(`say what to do: ${group.join(', ')}. See: warder --help`, 2)
  throw new Problem(`there is no command ${JSON.stringify(argv[0])}. See: warder --help`, 2)
}

function overview(): string {
  return [
    'Warder puts OAuth in front of any MCP server, and signs you in to servers that have it.',
    '',
    'Usage: warder COMMAND [OPTIONS]',
    '',
    'Commands:',
    table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'More about one: warder COMMAND --help',
  ].join('\n')
}
