import { type CallToolResult, fromJsonSchema, type McpServer } from '@modelcontextprotocol/server'

/** A picture of one red pixel. */
export const picture =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const sound = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA='

type Content = CallToolResult['content']

/** What each tool answers at once. */
const answers: Readonly<Record<string, Content>> = {
  test_simple_text: [{ type: 'text', text: 'This is a simple text response for testing.' }],
  test_image_content: [{ type: 'image', data: picture, mimeType: 'image/png' }],
  test_audio_content: [{ type: 'audio', data: sound, mimeType: 'audio/wav' }],
  test_embedded_resource: [
    {
      type: 'resource',
      resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'An embedded resource.' },
    },
  ],
  test_multiple_content_types: [
    { type: 'text', text: 'Multiple content types test:' },
    { type: 'image', data: picture, mimeType: 'image/png' },
    {
      type: 'resource',
      resource: {
        uri: 'test://mixed-content-resource',
        mimeType: 'application/json',
        text: '{"test":"data","value":123}',
      },
    },
  ],
}

/** What has changed on the server, for whoever listens. */
export interface Changes {
  toolsChanged(): void
  promptsChanged(): void
}

/** `x-mcp-header` is a word of MCP's, which the schema's type does not know. */
const mirrored: { type: 'string' } = Object.assign({ type: 'string' as const }, { 'x-mcp-header': 'Region' })

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50))

/** Tools that answer, report or fail, but ask nothing back. */
export function addPlainTools(server: McpServer, changes: Changes): void {
  for (const [name, content] of Object.entries(answers))
    server.registerTool(name, { description: 'Answers at once' }, async () => ({ content }))

  server.registerTool('test_error_handling', { description: 'Fails' }, async () => {
    throw new Error('This tool intentionally returns an error for testing')
  })

  server.registerTool('test_tool_with_logging', { description: 'Logs while it works' }, async (context) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await context.mcpReq.log('info', data)
      await moment()
    }
    return { content: [{ type: 'text', text: 'logged' }] }
  })

  server.registerTool('test_logging_tool', { description: 'Logs where that is wanted' }, async (context) => {
    await context.mcpReq.log('info', 'logged')
    return { content: [{ type: 'text', text: 'done' }] }
  })

  server.registerTool('test_tool_with_progress', { description: 'Reports progress' }, async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      const params = { progressToken: progressToken ?? 0, progress, total: 100 }
      await context.mcpReq.notify({ method: 'notifications/progress', params })
      await moment()
    }
    return { content: [{ type: 'text', text: String(progressToken) }] }
  })

  server.registerTool('test_trigger_tool_change', { description: 'Tools change' }, async () => {
    changes.toolsChanged()
    return { content: [{ type: 'text', text: 'changed' }] }
  })
  server.registerTool('test_trigger_prompt_change', { description: 'Prompts change' }, async () => {
    changes.promptsChanged()
    return { content: [{ type: 'text', text: 'changed' }] }
  })

  server.registerTool(
    'test_mirrored_argument',
    {
      description: 'An argument that a header mirrors',
      inputSchema: fromJsonSchema<{ region: string }>({
        type: 'object',
        properties: { region: mirrored },
        required: ['region'],
      }),
    },
    async ({ region }) => ({ content: [{ type: 'text', text: region }] }),
  )

  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'A schema with every keyword', inputSchema: fromJsonSchema(everyKeyword) },
    async () => ({ content: [{ type: 'text', text: 'ok' }] }),
  )
}

const everyKeyword = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object' as const,
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
}
