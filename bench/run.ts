import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Bench, type Row, reaches } from './measure/bench.ts'
import { installPeers } from './measure/install-peers.ts'
import { formatTable } from './measure/table.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    markdown: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const settings = { rounds: Number(values.rounds), seconds: Number(values.seconds), say }
const benches = await loadBenches(positionals)
if (benches.some(({ needsPeers }) => needsPeers === true)) await installPeers(say)

const results: { readonly name: string; readonly rows: readonly Row[] }[] = []
for (const bench of benches) {
  say(`— ${bench.name}: ${bench.question}`)
  const rows = await bench.rows(settings)
  results.push({ name: bench.name, rows })
  if (!values.json) console.log(formatTable(bench, rows, values.markdown ? 'markdown' : 'terminal'))
}
if (values.json) console.log(JSON.stringify(results, undefined, 2))
const missed = results.flatMap(({ rows }) => rows).filter((row) => reaches(row) === false)
if (missed.length > 0) say(`${missed.length} missed: ${missed.map(({ what }) => what).join('; ')}`)

/** Every file beside this one is a question. */
async function loadBenches(names: readonly string[]): Promise<readonly Bench[]> {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  const known = files.map((file) => file.slice(0, -'.ts'.length))
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`no bench ${unknown.join(', ')}; there are ${known.join(', ')}`)
  const wanted = known.filter((name) => names.length === 0 || names.includes(name))
  return Promise.all(
    wanted.map(async (name) => {
      const { default: bench } = (await import(join(import.meta.dirname, `${name}.ts`))) as { default: Bench }
      return bench
    }),
  )
}
