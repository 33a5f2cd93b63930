import { withoutInvisible } from '@warder/protocol'
import { plain } from '../output.ts'

interface Danger {
  readonly fits: (argv: readonly string[]) => boolean
  readonly says: string
}

const baseName = (word: string): string =>
  word
    .split(/[\\/]/)
    .at(-1)!
    .toLowerCase()
    .replace(/\.(?:exe|cmd|bat)$/, '')

const runs =
  (...names: readonly string[]) =>
  (argv: readonly string[]): boolean =>
    argv.some((word) => names.includes(baseName(word)))

const holds =
  (pattern: RegExp) =>
  (argv: readonly string[]): boolean =>
    pattern.test(argv.join(' '))

/** What deserves a second look. Nothing that is not in this table is safe for that. */
const dangers: readonly Danger[] = [
  {
    fits: (argv) =>
      runs('sh', 'bash', 'zsh', 'dash', 'fish', 'cmd', 'powershell', 'pwsh')(argv) &&
      holds(/\s(?:-\w*c|\/c|-Command|-EncodedCommand)\s/i)(argv),
    says: 'it runs a text as a shell script',
  },
  {
    fits: holds(/\b(?:curl|wget|iwr|Invoke-WebRequest)\b.*\|\s*\S*(?:sh|bash|python|node|iex)\b/i),
    says: 'it runs what it downloads',
  },
  { fits: runs('sudo', 'doas', 'su', 'runas', 'pkexec'), says: 'it takes the rights of another user' },
  { fits: holds(/\brm\s+-\w*[rf]|\bdel\s+\/|\bmkfs|\bdd\s+if=/i), says: 'it deletes or overwrites files' },
  {
    fits: (argv) => runs('npx', 'bunx', 'pnpx', 'uvx', 'pipx')(argv) && !holds(/\S@\d+\.\d+|==\d/)(argv),
    says: 'it runs whatever version of a package is newest on that day',
  },
  {
    fits: (argv) =>
      runs('node', 'python', 'python3', 'deno', 'ruby', 'perl')(argv) &&
      holds(/\s(?:-e|-c|--eval|eval|-p)\s/)(argv),
    says: 'it runs a program that stands in its arguments',
  },
  {
    fits: holds(/--privileged|docker\.sock|--network[= ]host|(?:^|\s)(?:-v|--volume)[= ]\/:/),
    says: 'it lets a container out of its box',
  },
  {
    fits: holds(/(?:^|\s)(?:~|\/|[A-Z]:\\|\/home\/[^/ ]+|\/Users\/[^/ ]+)\/?(?:\s|$)/i),
    says: 'it is given your whole home or disk',
  },
]

const strangeVariables =
  /^(?:LD_PRELOAD|LD_LIBRARY_PATH|DYLD_\w+|NODE_OPTIONS|PYTHONSTARTUP|PYTHONPATH|BASH_ENV|ENV|PATH|NODE_TLS_REJECT_UNAUTHORIZED)$/i

/**
 * A command in full, for a person who decides whether a host may run it (SEP-1024): nothing is cut short, and
 * the border of each argument shows. `env` are names of variables that it gets besides.
 */
export function showWholeCommand(title: string, argv: readonly string[], env: readonly string[]): string {
  const marks = [
    ...dangers.filter(({ fits }) => fits(argv)).map(({ says }) => says),
    ...env
      .filter((name) => strangeVariables.test(name))
      .map((name) => `it is started with another ${plain(name)}`),
  ]
  return [
    `${title} would start this program on your computer, with all your rights, each time it opens:`,
    '',
    `  ${argv.map(showArgument).join(' ')}`,
    '',
    ...(env.length === 0 ? [] : [`with the variables ${env.map(plain).join(', ')}`, '']),
    ...marks.map((mark) => `Careful: ${mark}.`),
    'It could read and change your files and use your network. Add it only if you know whose it is and what it does.',
  ].join('\n')
}

/** Characters that a terminal acts on, or that nobody sees, are shown by their numbers. */
function showArgument(argument: string): string {
  const visible = withoutInvisible(argument, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
  return /^[\w@%+=:,./-]+$/.test(visible) ? visible : `"${visible.replace(/["\\](?!u\{)/g, '\\$&')}"`
}
