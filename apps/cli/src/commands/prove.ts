import type { Command } from '../command.ts'
import { paint, print, table } from '../output.ts'
import { Problem } from '../problem.ts'
import { proveFromOutside } from '../prove/prove-from-outside.ts'

export const prove: Command = {
  name: 'prove',
  summary: 'Tries what a stranger could try at an MCP server, without credentials',
  usage: 'prove URL [--json]',
  options: { json: { says: 'Print one JSON object' } },
  examples: [
    'warder prove http://localhost:8765/everything/mcp',
    'warder prove https://mcp.example.com/mcp --json',
  ],
  async run(input) {
    const [url] = input.words
    if (
      url === undefined ||
      input.words.length > 1 ||
      !URL.canParse(url) ||
      !/^https?:$/.test(new URL(url).protocol)
    ) {
      throw new Problem('say the address of the MCP endpoint: warder prove https://mcp.example.com/mcp', 2)
    }
    const rows = await proveFromOutside(url).catch((error: Error) => {
      throw new Problem(`nothing answers at ${url}: ${error.message}`)
    })
    const failures = rows.filter((row) => row.outcome === 'failed').length
    if (input.switches.has('json')) {
      print(JSON.stringify({ url, failed: failures, rows }))
    } else {
      const colour = { passed: 'green', failed: 'red', warning: 'yellow', skipped: 'dim' } as const
      print(
        table(
          rows.map((row) => [paint(colour[row.outcome], row.outcome), row.title, row.says]),
          '',
        ),
      )
      print('')
      print(
        failures === 0
          ? 'No stranger gets in by these.'
          : `${failures} of ${rows.length} attempts found an open door.`,
      )
    }
    return failures === 0 ? 0 : 1
  },
}
