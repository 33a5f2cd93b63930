import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  fromJsonSchema,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server'

/** Seals what a tool must remember between two rounds; one key for the whole process. */
export const states: RequestStateCodec = createRequestStateCodec({
  key: crypto.getRandomValues(new Uint8Array(32)),
})

const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] })

const askFor = (message: string, field: string, type: 'string' | 'boolean' = 'string') =>
  inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: { [field]: type === 'string' ? { type } : { type } },
      required: [field],
    },
  })

const sample = (question: string, maxTokens: number) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    maxTokens,
  })

const accepted = (context: ServerContext, key: string): Record<string, unknown> | undefined =>
  acceptedContent<Record<string, unknown>>(context.mcpReq.inputResponses, key)

const declares = (context: ServerContext, capability: 'sampling' | 'elicitation'): boolean => {
  const envelope: Readonly<Record<string, unknown>> = context.mcpReq.envelope ?? {}
  return capability in Object(envelope[CLIENT_CAPABILITIES_META_KEY])
}

/** Tools and a prompt of revision 2026-07-28 that need something from the client before they can answer. */
export function addAskingTools(server: McpServer): void {
  const register = (
    name: string,
    answer: (context: ServerContext) => Promise<ReturnType<typeof text> | InputRequiredResult>,
  ): void => void server.registerTool(name, { description: 'Asks first' }, answer)

  const askName = () => inputRequired({ inputRequests: { user_name: askFor('What is your name?', 'name') } })

  register('test_input_required_result_elicitation', async (context) => {
    const name = accepted(context, 'user_name')?.['name']
    return typeof name === 'string' ? text(`Hello, ${name}!`) : askName()
  })
  register('test_streaming_elicitation', async () => askName())

  register('test_input_required_result_sampling', async (context) => {
    const answer = inputResponse(context.mcpReq.inputResponses, 'capital_question')
    if (answer.kind === 'sampling') return text(JSON.stringify(answer.result.content))
    return inputRequired({
      inputRequests: { capital_question: sample('What is the capital of France?', 100) },
    })
  })

  register('test_input_required_result_list_roots', async (context) => {
    const answer = inputResponse(context.mcpReq.inputResponses, 'client_roots')
    if (answer.kind === 'roots') return text(answer.roots.map(({ uri }) => uri).join(' '))
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  })

  for (const name of [
    'test_input_required_result_request_state',
    'test_input_required_result_tampered_state',
  ]) {
    register(name, async (context) => {
      const remembered = context.mcpReq.requestState<{ tool: string }>()
      if (remembered?.tool === name && accepted(context, 'confirm') !== undefined) return text('state-ok')
      return inputRequired({
        inputRequests: { confirm: askFor('Please confirm', 'ok', 'boolean') },
        requestState: await states.mint({ tool: name }),
      })
    })
  }

  register('test_input_required_result_multiple_inputs', async (context) => {
    const kinds = ['user_name', 'greeting', 'client_roots'].map(
      (key) => inputResponse(context.mcpReq.inputResponses, key).kind,
    )
    if (!kinds.includes('missing')) return text('all three came')
    return inputRequired({
      inputRequests: {
        user_name: askFor('What is your name?', 'name'),
        greeting: sample('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await states.mint({ asked: 'all' }),
    })
  })

  register('test_input_required_result_multi_round', async (context) => {
    const before = context.mcpReq.requestState<{ name?: unknown }>()
    const name = accepted(context, 'step1')?.['name']
    const color = accepted(context, 'step2')?.['color']
    if (before?.name !== undefined && color !== undefined)
      return text(`${String(before.name)} likes ${String(color)}`)
    if (before !== undefined && name !== undefined) {
      const step2 = askFor('Step 2: What is your favorite color?', 'color')
      return inputRequired({ inputRequests: { step2 }, requestState: await states.mint({ name }) })
    }
    const step1 = askFor('Step 1: What is your name?', 'name')
    return inputRequired({ inputRequests: { step1 }, requestState: await states.mint({}) })
  })

  register('test_input_required_result_capabilities', async (context) =>
    inputRequired({
      inputRequests: {
        ...(declares(context, 'sampling') && { greeting: sample('Generate a greeting', 50) }),
        ...(declares(context, 'elicitation') && { user_name: askFor('What is your name?', 'name') }),
      },
      requestState: await states.mint({ asked: 'what you can' }),
    }),
  )

  // The SDK refuses an answer that asks for what the client did not declare.
  register('test_missing_capability', async () =>
    inputRequired({ inputRequests: { greeting: sample('Generate a greeting', 50) } }),
  )

  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Asks first' },
    async (context: ServerContext) => {
      const words = accepted(context, 'user_context')?.['context']
      if (words === undefined)
        return inputRequired({
          inputRequests: { user_context: askFor('What context should the prompt use?', 'context') },
        })
      return {
        messages: [{ role: 'user' as const, content: { type: 'text' as const, text: String(words) } }],
      }
    },
  )
}

const choices = (word: string) =>
  ['First', 'Second', 'Third'].map((place, index) => ({
    const: `value${index + 1}`,
    title: `${place} ${word}`,
  }))
const options = ['option1', 'option2', 'option3']

const withDefaults = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
}
const withChoices = {
  untitledSingle: { type: 'string', enum: options },
  titledSingle: { type: 'string', oneOf: choices('Option') },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
  titledMulti: { type: 'array', items: { anyOf: choices('Choice') } },
}

/** Tools of the older revisions, whose server sends requests of its own while it works. */
export function addOlderAskingTools(server: McpServer): void {
  const elicit = async (context: ServerContext, message: string, properties: Record<string, unknown>) => {
    const { action, content } = await context.mcpReq.send({
      method: 'elicitation/create',
      params: { message, requestedSchema: { type: 'object', properties, required: [] } },
    })
    return `action=${action}, content=${JSON.stringify(content ?? {})}`
  }
  const argument = <Name extends string>(name: Name) =>
    fromJsonSchema<Record<Name, string>>({
      type: 'object',
      properties: { [name]: { type: 'string' } },
      required: [name],
    })

  server.registerTool(
    'test_sampling',
    { description: 'Asks the model', inputSchema: argument('prompt') },
    async ({ prompt }, context) => {
      const { content } = await context.mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      })
      return text(`LLM response: ${JSON.stringify(content)}`)
    },
  )
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user', inputSchema: argument('message') },
    async ({ message }, context) => {
      const fields = { username: { type: 'string' }, email: { type: 'string' } }
      return text(`User response: ${await elicit(context, message, fields)}`)
    },
  )
  for (const [name, fields] of [
    ['test_elicitation_sep1034_defaults', withDefaults],
    ['test_elicitation_sep1330_enums', withChoices],
  ] as const) {
    server.registerTool(name, { description: 'Asks the user' }, async (context) =>
      text(`Elicitation completed: ${await elicit(context, 'Please choose', fields)}`),
    )
  }
}
