import { McpServer } from '@modelcontextprotocol/server'
import { addAskingTools, addOlderAskingTools, states } from './asking-tools.ts'
import { addPlainTools, type Changes } from './plain-tools.ts'
import { addPrompts, addResources } from './resources-and-prompts.ts'

/** A server with everything that the suite's scenarios name, for one era. */
export function makeServer(era: 'modern' | 'legacy', changes: Changes): McpServer {
  const server = new McpServer(
    { name: 'conformance', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        completions: {},
        logging: {},
      },
      requestState: { verify: states.verify },
    },
  )
  addPlainTools(server, changes)
  addResources(server)
  addPrompts(server)
  if (era === 'modern') addAskingTools(server)
  else {
    addOlderAskingTools(server)
    for (const method of ['resources/subscribe', 'resources/unsubscribe'] as const)
      server.server.setRequestHandler(method, async () => ({}))
  }
  return server
}
