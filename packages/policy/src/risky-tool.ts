import type { ToolFacts } from './tool-facts.ts'

// Words in the name that say what a tool does. Rather too many than too few: the price of a false hit is one more switch on
// the consent page, the price of a miss is a dangerous tool among the harmless ones.
const nameWords: ReadonlySet<string> = new Set(
  (
    'admin bash browse browser chmod chown cmd command commands console credential credentials crawl curl delete deletes ' +
    'deploy destroy download downloads drop env environ environment erase eval evaluate exec execute fetch fetches ' +
    'http https install interpreter invoke javascript kill launch navigate npm npx password passwords powershell process ' +
    'processes proxy publish purge python remove removes request reset restart revoke rm rmdir run runs scrape script ' +
    'scripts secret secrets send shell shutdown spawn ssh sudo terminal terminate truncate uninstall unlink upload url urls ' +
    'webhook wget wipe zsh'
  ).split(' '),
)

// Words in title and description: fewer, because prose mentions more than a tool does.
const proseWords: ReadonlySet<string> = new Set(
  (
    'bash browser command commands credential credentials curl delete deleted deletes deleting destroy destroys download ' +
    'downloaded downloading downloads drop drops env environment erase erases eval evaluates exec execute executed executes executing ' +
    'fetch fetched fetches fetching http https overwrite overwrites password passwords powershell purge purges ' +
    'remove removed removes removing scrape scrapes script scripts secret secrets shell spawn spawns subprocess sudo terminal truncate ' +
    'truncates uninstall uninstalls upload uploads url urls webhook webhooks wget wipe wipes'
  ).split(' '),
)

/**
 * Whether a tool reads the environment, runs commands, fetches or sends to URLs, deletes, destroys or reaches the open
 * world, judged by its name and words and by annotations that admit it. Annotations that deny it are not believed: the
 * server wrote them about itself. A guess for a first policy file, not a proof: a tool can hide what it does.
 */
export function isRiskyTool(tool: ToolFacts): boolean {
  const { annotations } = tool
  if (annotations?.destructiveHint === true || annotations?.openWorldHint === true) return true
  if (wordsOf(tool.name).some((word) => nameWords.has(word))) return true
  return wordsOf(`${tool.title ?? ''} ${tool.description ?? ''}`).some((word) => proseWords.has(word))
}

const readingWords: ReadonlySet<string> = new Set(
  (
    'check compare count describe diff echo explain find get help info inspect list look lookup ls ping preview read search ' +
    'show stat status summarize validate version view'
  ).split(' '),
)

/**
 * Whether a tool is harmless enough to be granted without asking: it says that it only reads, or, without saying anything,
 * has a name that begins like one that reads; and nothing about it looks risky.
 */
export function isReadingTool(tool: ToolFacts): boolean {
  if (isRiskyTool(tool)) return false
  const says = tool.annotations?.readOnlyHint
  if (says !== undefined) return says
  const first = wordsOf(tool.name)[0]
  return first !== undefined && readingWords.has(first)
}

/** Lower-case words of a name or of prose: cut at everything that is no letter, and inside `camelCase` and `HTTPServer`. */
function wordsOf(text: string): readonly string[] {
  return text
    .slice(0, 10_000)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '')
}
