import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { Problem } from './problem.ts'

/** One option as `--help` shows it. `value` names what follows the option; without it the option is a switch. */
export interface Option {
  readonly says: string
  readonly value?: string
  /** The only values that it takes. */
  readonly among?: readonly string[]
  readonly short?: string
  /** May be given again and again; all its values are in `lists`. */
  readonly many?: true
  /** Understood, and not shown in the help. */
  readonly hidden?: true
}

/** What a command gets: options by name, the words after it, and what stands behind `--`. */
export interface Input {
  readonly options: Readonly<Record<string, string | undefined>>
  /** The values of options that may be given more than once. */
  readonly lists: Readonly<Record<string, readonly string[]>>
  readonly switches: ReadonlySet<string>
  readonly words: readonly string[]
  readonly behindDashes: readonly string[] | undefined
}

/** A command as data: its help is made from it, and an option that is not listed is refused. */
export interface Command {
  /** What follows `warder`: the name first, then words and options. */
  readonly usage: string
  readonly options: Readonly<Record<string, Option>>
  readonly examples: readonly string[]
  /** Answers the exit code. */
  run(input: Input): Promise<number>
}

/** A command as the list of all of them has it: its code is loaded when it is wanted. */
export interface CommandEntry {
  /** One or two words, such as `protect` or `user add`. */
  readonly name: string
  readonly summary: string
  load(): Promise<Command>
}

/** Reads the arguments behind a command's name; refuses what the command does not know. */
export function readInput(command: Pick<Command, 'usage' | 'options'>, argv: readonly string[]): Input {
  const dashes = argv.indexOf('--')
  const own = dashes === -1 ? argv : argv.slice(0, dashes)
  const config: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } }
  for (const [name, option] of Object.entries(command.options)) {
    config[name] = {
      type: option.value === undefined ? 'boolean' : 'string',
      ...(option.short === undefined ? {} : { short: option.short }),
      ...(option.many === undefined ? {} : { multiple: true }),
    }
  }
  const { values, positionals } = parseStrictly(command, [...own], config)
  const options: Record<string, string | undefined> = {}
  const lists: Record<string, readonly string[]> = {}
  const switches = new Set<string>()
  for (const [name, value] of Object.entries(values)) {
    if (value === true) switches.add(name)
    else if (Array.isArray(value)) lists[name] = value
    else if (typeof value === 'string') {
      checkAmong(name, value, command.options[name]?.among)
      options[name] = value
    }
  }
  return {
    options,
    lists,
    switches,
    words: positionals,
    behindDashes: dashes === -1 ? undefined : argv.slice(dashes + 1),
  }
}

function checkAmong(name: string, value: string, among: readonly string[] = [value]): void {
  if (among.includes(value)) return
  throw new Problem(
    `--${name} takes one of: ${among.join(', ')}. ${JSON.stringify(value)} is none of them.`,
    2,
  )
}

function parseStrictly(
  command: Pick<Command, 'usage'>,
  args: string[],
  options: ParseArgsOptionsConfig,
): { values: Record<string, unknown>; positionals: string[] } {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true })
  } catch (error) {
    const said = error instanceof Error ? (error.message.split(/\.\s/)[0] ?? error.message) : String(error)
    const option = /use '(--[a-z-]+)=/.exec(String(error))?.[1]
    const hint = option === undefined ? '' : ` A value that begins with a dash is written ${option}=VALUE.`
    throw new Problem(`${said}.${hint} See: warder ${nameIn(command)} --help`, 2)
  }
}

/** `user add EMAIL [--json]` → `user add`. */
function nameIn({ usage }: Pick<Command, 'usage'>): string {
  return /^[a-z-]+(?: [a-z]+)*/.exec(usage)?.[0] ?? ''
}

/** The help text of a command. */
export function helpOf({ summary }: Pick<CommandEntry, 'summary'>, command: Command): string {
  const shown: readonly (readonly [string, Option])[] = [
    ...Object.entries(command.options).filter(([, option]) => option.hidden === undefined),
    ['help', { says: 'Show this text', short: 'h' }],
  ]
  const rows = shown.map(([name, option]) => {
    const short = option.short === undefined ? '    ' : `-${option.short}, `
    return [
      `  ${short}--${name}${option.value === undefined ? '' : ` ${option.value}`}`,
      option.says,
    ] as const
  })
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return [
    summary,
    '',
    `Usage: warder ${command.usage}`,
    '',
    'Options:',
    ...rows.map(([left, right]) => left.padEnd(width) + right),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${example}`),
    '',
  ].join('\n')
}
