import { policySchema } from '@warder/policy'
import type { Command } from '../command.ts'
import { print } from '../output.ts'

export const policySchemaCommand: Command = {
  usage: 'policy schema',
  options: {},
  examples: ['warder policy schema > warder.schema.json'],
  async run() {
    print(JSON.stringify(policySchema, null, 2))
    return 0
  },
}
