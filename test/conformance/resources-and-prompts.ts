import { fromJsonSchema, type McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import { picture } from './plain-tools.ts'

export function addResources(server: McpServer): void {
  for (const name of ['static-text', 'watched-resource']) {
    const uri = `test://${name}`
    const about = { description: 'Says what it is', mimeType: 'text/plain' }
    server.registerResource(name, uri, about, async () => ({
      contents: [{ uri, mimeType: 'text/plain', text: `This is ${name}.` }],
    }))
  }
  const binary = { description: 'A picture', mimeType: 'image/png' }
  server.registerResource('static-binary', 'test://static-binary', binary, async ({ href }) => ({
    contents: [{ uri: href, mimeType: 'image/png', blob: picture }],
  }))
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'One for each id', mimeType: 'application/json' },
    async ({ href }, { id }) => ({
      contents: [{ uri: href, mimeType: 'application/json', text: JSON.stringify({ id }) }],
    }),
  )
}

const argumentsOf = (...names: string[]) =>
  fromJsonSchema<Record<string, string>>({
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    required: names,
  })

export function addPrompts(server: McpServer): void {
  const say = (text: string) => ({ role: 'user' as const, content: { type: 'text' as const, text } })

  server.registerPrompt('test_simple_prompt', { description: 'Simple' }, async () => ({
    messages: [say('This is a simple prompt for testing.')],
  }))
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'With arguments', argsSchema: argumentsOf('arg1', 'arg2') },
    async ({ arg1, arg2 }) => ({ messages: [say(`arg1='${arg1}', arg2='${arg2}'`)] }),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'With a resource', argsSchema: argumentsOf('resourceUri') },
    async ({ resourceUri = '' }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded.' },
          },
        },
        say('Please process the embedded resource above.'),
      ],
    }),
  )
  server.registerPrompt('test_prompt_with_image', { description: 'With a picture' }, async () => ({
    messages: [
      { role: 'user', content: { type: 'image', data: picture, mimeType: 'image/png' } },
      say('Please look.'),
    ],
  }))
  server.server.setRequestHandler('completion/complete', async () => ({
    completion: { values: ['paris', 'park', 'party'], total: 3, hasMore: false },
  }))
}
