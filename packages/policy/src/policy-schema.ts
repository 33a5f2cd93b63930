import { clientClasses } from './principal.ts'

const text = { type: 'string', minLength: 1 } as const
const texts = { type: 'array', items: text } as const
const scopeList = { ...texts, uniqueItems: true } as const

const says = <Schema extends object>(
  description: string,
  schema: Schema,
): Schema & { description: string } => ({
  description,
  ...schema,
})

const mapping = (required: readonly string[], properties: Readonly<Record<string, object>>): object => ({
  type: 'object',
  additionalProperties: false,
  ...(required.length > 0 && { required }),
  properties,
})

const scope = mapping(['title'], {
  title: says('What people read on the consent page', text),
  description: says('More words for the consent page', text),
  basic: says('Granted without being asked for; never of high risk', { type: 'boolean' }),
  implies: says('Scopes that this one includes', scopeList),
  risk: says('high: switched off on the consent page until somebody wants it', { enum: ['normal', 'high'] }),
})

const targets = (what: string): object =>
  says(`Which scopes the ${what} need: the first line that matches counts, what matches none is denied`, {
    type: 'array',
    items: {
      ...mapping(['match'], {
        match: says('An exact name, or a pattern in which * stands for any characters', text),
        scopes: says('All of them are needed', scopeList),
        never: says('true: denied to everybody', { type: 'boolean' }),
      }),
      anyOf: [{ required: ['scopes'] }, { required: ['never'] }],
    },
  })

const server = {
  ...mapping([], {
    run: says('The command that starts the server, word by word', { ...texts, minItems: 1 }),
    url: says('The HTTP address of the server', { type: 'string', pattern: '^https?://' }),
    env: says('Variables that the command gets besides PATH, HOME and the like, by name', texts),
    scopes: says('What people can grant to a client', { type: 'object', additionalProperties: scope }),
    tools: targets('tools'),
    resources: targets('resources'),
    prompts: targets('prompts'),
    list_locked: says('Whether tools that a wider grant would open are listed', { type: 'boolean' }),
  }),
  oneOf: [{ required: ['run'] }, { required: ['url'] }],
}

const who = {
  oneOf: [
    { const: 'anyone' },
    mapping(['user'], {
      user: says('owner, an address of our own directory, or a subject', text),
      issuer: says('Who signs the user in', text),
    }),
    mapping(['group'], { group: says('A group of this file, or of the tokens of a foreign issuer', text) }),
    mapping(['service'], { service: text }),
  ],
}

const row = {
  ...mapping(['who'], {
    who: says('Whom the row is about', who),
    client: says(`any, ${clientClasses.join(', ')}, the id of a client, or https://host/*`, text),
    may: says('Scopes that they can grant to this client', scopeList),
    never: says('Scopes that are denied, whatever other rows say', scopeList),
    tools: says('Only for these tools', { ...texts, minItems: 1 }),
    servers: says('Only for these servers', { ...texts, minItems: 1 }),
    when: says('Only where this CEL expression over args, user, client and time holds', text),
  }),
  anyOf: [{ required: ['may'] }, { required: ['never'] }],
}

/**
 * The JSON Schema (draft 2020-12) of the policy file, for editors. It knows shapes and keys; `readPolicy` checks more, such as
 * whether scopes exist.
 */
export const policySchema: Readonly<Record<string, unknown>> = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Warder policy file',
  ...mapping(['version', 'servers'], {
    version: says('The version of the format', { const: 1 }),
    servers: says('MCP servers by name', {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: '^[a-z0-9][a-z0-9-]{0,62}$' },
      additionalProperties: server,
    }),
    groups: says('Groups of users by name', { type: 'object', additionalProperties: texts }),
    access: says('The matrix: no row, no access; never beats may', { type: 'array', items: row }),
  }),
}
