import { readPolicy } from '@warder/policy'
import { expect, test } from 'vitest'
import { startScreen } from '../src/protect/start-screen.ts'

const policy = readPolicy(`
version: 1
servers:
  notes:
    url: http://127.0.0.1:3001/mcp
    scopes: { notes:read: { title: Read notes } }
access: []
`)

/** The commands of Warder that the first screen tells a person to run. */
const commandsWith = (stateWords: string): string[] => {
  const inventory = {
    tools: [],
    resources: false,
    prompts: [],
    open: false,
    serverInfo: { name: 'n', version: '1' },
  }
  const endpoint = 'http://localhost:8765/notes/mcp'
  const screen = startScreen(
    {
      policy,
      servers: [{ name: 'notes', endpoint, inventory, proof: [] }],
      issuer: 'http://localhost:8765',
      ownerLink: undefined,
      policyFile: 'warder.yaml',
      policySource: 'warder.yaml',
      policyIsNew: false,
      dataPath: '/srv/state',
      stateWords,
      database: undefined,
    },
    false,
  )
  return [...screen.matchAll(/warder (?:setup|log).*/g)].map(([command]) => command)
}

test('the commands of the first screen name the state where they would not find it themselves', () => {
  expect(commandsWith(' --data /srv/state')).toEqual([
    'warder setup notes --data /srv/state',
    'warder log tail --data /srv/state',
  ])
  expect(commandsWith('')).toEqual(['warder setup notes', 'warder log tail'])
})
