import { existsSync } from 'node:fs'
import type { Command, Input } from '../command.ts'
import { paint, print } from '../output.ts'
import { Problem } from '../problem.ts'
import { readAddress } from '../protect/address-file.ts'
import { readPolicyFile } from '../protect/load-policy.ts'
import { type SetUpClient, setUpClients } from '../protect/set-up-text.ts'
import { dataOptions, dataUsage, findDataDirectory } from '../with-store.ts'

const ids = setUpClients.map(({ id }) => id)

export const setup: Command = {
  usage: `setup [NAME] [--client CLIENT] [--json] ${dataUsage}`,
  options: {
    client: { value: 'CLIENT', among: ids, says: `Only this one: ${ids.join(', ')}` },
    json: { says: 'Print one JSON array' },
    ...dataOptions,
  },
  examples: ['warder setup notes', 'warder setup notes --client cursor'],
  async run(input) {
    const name = findServerName(input)
    const endpoint = `${readAddress(findDataDirectory(input))}/${name}/mcp`
    const wanted = findClients(input.options['client'])
    const texts = wanted.map(({ id, title, lines }) => ({ id, title, lines: lines({ name, endpoint }) }))
    if (input.switches.has('json')) {
      print(JSON.stringify(texts.map(({ id, lines }) => ({ client: id, lines }))))
      return 0
    }
    for (const { title, lines } of texts) {
      print([paint('bold', title), ...lines.map((line) => `  ${line}`), ''].join('\n'))
    }
    return 0
  },
}

function findClients(id: string | undefined): readonly SetUpClient[] {
  return id === undefined ? setUpClients : setUpClients.filter((client) => client.id === id)
}

/** The server that is named, or the only one in the policy file. */
function findServerName({ words, options }: Input): string {
  if (words.length > 1) throw new Problem('say one name: warder setup notes', 2)
  const file = options['policy'] ?? 'warder.yaml'
  const names = existsSync(file) ? [...readPolicyFile(file).servers.keys()] : undefined
  const name = words[0] ?? options['name'] ?? (names?.length === 1 ? names[0] : undefined)
  if (name === undefined) {
    const which = names === undefined ? '' : ` of ${names.join(', ')}`
    throw new Problem(`say which server${which}: warder setup NAME`, 2)
  }
  if (names?.includes(name) === false)
    throw new Problem(`${file} names no server ${JSON.stringify(name)}, but: ${names.join(', ')}.`, 2)
  return name
}
