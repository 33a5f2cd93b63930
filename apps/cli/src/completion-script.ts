import type { Option } from './command.ts'

/** What a shell has to know of a command. */
export interface Completable {
  /** One or two words. */
  readonly name: string
  readonly summary: string
  readonly options: Readonly<Record<string, Option>>
}

/** The shells that we write scripts for. */
export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** A script that completes commands, their options and the values that are known. */
export function completionScript(shell: Shell, commands: readonly Completable[]): string {
  return { bash, zsh, fish }[shell](commands)
}

function firstWords(commands: readonly Completable[]): string[] {
  return [...new Set(commands.map(({ name }) => firstWord(name)))]
}

function firstWord(name: string): string {
  return name.split(' ')[0] ?? name
}

function secondWords(commands: readonly Completable[], first: string): string[] {
  return commands.flatMap(({ name }) => (name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : []))
}

/** First words that need a second one, with those. */
function groups(commands: readonly Completable[]): (readonly [string, readonly string[]])[] {
  return firstWords(commands)
    .map((first) => [first, secondWords(commands, first)] as const)
    .filter(([, second]) => second.length > 0)
}

function flags({ options }: Completable): string[] {
  return [...Object.keys(options), 'help'].map((name) => `--${name}`)
}

/** Options after which only certain words can stand, with the command's first word: `setup --client`. */
function choices(commands: readonly Completable[]): (readonly [string, readonly string[]])[] {
  return commands.flatMap(({ name, options }) =>
    Object.entries(options).flatMap(([option, { among }]) =>
      among === undefined ? [] : [[`${firstWord(name)} --${option}`, among] as const],
    ),
  )
}

/** Options after which anything can stand: the shell offers files. */
function open(commands: readonly Completable[]): string[] {
  const all = commands.flatMap(({ options }) =>
    Object.entries(options).flatMap(([name, { value, among }]) =>
      value !== undefined && among === undefined ? [`--${name}`] : [],
    ),
  )
  return [...new Set(all)]
}

/** The pattern of a shell's `case` for the first two words of a command line. */
function pattern({ name }: Completable): string {
  return name.includes(' ') ? `"${name}"` : `"${name} "*`
}

function bash(commands: readonly Completable[]): string {
  return `# warder completion for bash. In ~/.bashrc: source <(warder completion bash)
_warder() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words=
  case "\${COMP_WORDS[1]} $before" in
${choices(commands)
  .map(
    ([where, among]) =>
      `    "${where}") COMPREPLY=($(compgen -W "${among.join(' ')}" -- "$current")); return ;;`,
  )
  .join('\n')}
    ${open(commands)
      .map((option) => `*" ${option}"`)
      .join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${[...firstWords(commands), '--help', '--version'].join(' ')}"
  else
    case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${commands.map((command) => `      ${pattern(command)}) words="${flags(command).join(' ')}" ;;`).join('\n')}
    esac
    if [ "$COMP_CWORD" -eq 2 ]; then
      case "\${COMP_WORDS[1]}" in
${groups(commands)
  .map(([first, second]) => `        ${first}) words="${second.join(' ')}" ;;`)
  .join('\n')}
      esac
    fi
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _warder warder
`
}

function zsh(commands: readonly Completable[]): string {
  return `#compdef warder
# warder completion for zsh. In ~/.zshrc, after compinit: source <(warder completion zsh)
_warder() {
  local before="\${words[CURRENT-1]}"
  case "\${words[2]} $before" in
${choices(commands)
  .map(([where, among]) => `    "${where}") compadd -- ${among.join(' ')}; return ;;`)
  .join('\n')}
    ${open(commands)
      .map((option) => `*" ${option}"`)
      .join('|')}) _files; return ;;
  esac
  if (( CURRENT == 2 )); then
    compadd -- ${[...firstWords(commands), '--help', '--version'].join(' ')}
    return
  fi
  if (( CURRENT == 3 )); then
    case "\${words[2]}" in
${groups(commands)
  .map(([first, second]) => `      ${first}) compadd -- ${second.join(' ')}; return ;;`)
  .join('\n')}
    esac
  fi
  case "\${words[2]} \${words[3]}" in
${commands.map((command) => `    ${pattern(command)}) compadd -- ${flags(command).join(' ')} ;;`).join('\n')}
  esac
}
compdef _warder warder
`
}

function fish(commands: readonly Completable[]): string {
  const lines = [
    '# warder completion for fish. In ~/.config/fish/config.fish: warder completion fish | source',
    'complete -c warder -f',
  ]
  const grouped = new Map(groups(commands))
  for (const first of firstWords(commands)) {
    const own = commands.find(({ name }) => name === first)
    lines.push(
      `complete -c warder -n __fish_use_subcommand -a ${first} -d ${quoted(own?.summary ?? `${first} …`)}`,
    )
  }
  for (const { name, summary, options } of commands) {
    const [first = name, second] = name.split(' ')
    const others = (grouped.get(first) ?? []).join(' ')
    if (second !== undefined) {
      const notYet = `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${others}`
      lines.push(`complete -c warder -n ${quoted(notYet)} -a ${second} -d ${quoted(summary)}`)
    }
    const here =
      `__fish_seen_subcommand_from ${first}` +
      (second === undefined ? '' : `; and __fish_seen_subcommand_from ${second}`)
    for (const [option, { says, value, among }] of Object.entries(options)) {
      const takes =
        among !== undefined ? ` -x -a ${quoted(among.join(' '))}` : value === undefined ? '' : ' -r -F'
      lines.push(`complete -c warder -n ${quoted(here)} -l ${option}${takes} -d ${quoted(says)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
