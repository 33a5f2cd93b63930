#!/usr/bin/env node
import { type Command, helpOf, readInput } from './command.ts'
import { logTail } from './commands/log-tail.ts'
import { ownerLink } from './commands/owner-link.ts'
import { protect } from './commands/protect.ts'
import { prove } from './commands/prove.ts'
import { userAdd } from './commands/user-add.ts'
import { userDisable, userEnable } from './commands/user-disable.ts'
import { userList } from './commands/user-list.ts'
import { note, print, table } from './output.ts'
import { Problem } from './problem.ts'
import { version } from './version.ts'

const commands: readonly Command[] = [
  protect,
  prove,
  userAdd,
  userList,
  userDisable,
  userEnable,
  ownerLink,
  logTail,
]

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
  const command = commands.find(({ name }) => name.split(' ').every((word, place) => argv[place] === word))
  if (command === undefined)
    throw new Problem(`there is no command ${JSON.stringify(argv[0])}. See: warder --help`, 2)
  const input = readInput(command, argv.slice(command.name.split(' ').length))
  if (input.switches.has('help')) {
    print(helpOf(command))
    return 0
  }
  return command.run(input)
}

function overview(): string {
  return [
    'Warder puts OAuth in front of any MCP server.',
    '',
    'Usage: warder COMMAND [OPTIONS]',
    '',
    'Commands:',
    table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'More about one: warder COMMAND --help',
  ].join('\n')
}
