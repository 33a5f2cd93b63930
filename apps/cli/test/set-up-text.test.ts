import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quotings, setUpClients, setUpLines } from '../src/protect/set-up-text.ts'

const server = { name: 'notes', endpoint: 'https://mcp.example.com/notes/mcp' }
const linesFor = (id: string): readonly string[] =>
  setUpClients.find((client) => client.id === id)?.lines(server) ?? []

describe('set-up text', () => {
  test.each([
    ['claude-code', 'claude mcp add --transport http notes https://mcp.example.com/notes/mcp'],
    ['codex', 'codex mcp add notes --url https://mcp.example.com/notes/mcp'],
    ['gemini', 'gemini mcp add --transport http notes https://mcp.example.com/notes/mcp'],
  ])('%s: the command', (id, line) => {
    expect(linesFor(id)).toContain(line)
  })

  test.each([
    ['mcp-json', { mcpServers: { notes: { type: 'http', url: server.endpoint } } }],
    ['vscode', { servers: { notes: { type: 'http', url: server.endpoint } } }],
    ['cursor', { mcpServers: { notes: { url: server.endpoint } } }],
    ['gemini', { mcpServers: { notes: { httpUrl: server.endpoint } } }],
  ])('%s: the file', (id, content) => {
    const json = linesFor(id).filter((line) => line.trim().startsWith('{'))
    expect(json.map((line) => JSON.parse(line))).toEqual([content])
  })

  test('codex: the file is TOML', () => {
    expect(linesFor('codex').slice(-2)).toEqual(['  [mcp_servers.notes]', `  url = "${server.endpoint}"`])
  })

  test('the first screen is short, and on Windows it is quoted for PowerShell', () => {
    expect(setUpLines(server, 'linux')).toHaveLength(4)
    const vscode = (platform: NodeJS.Platform): string | undefined =>
      setUpLines(server, platform).find((line) => line.includes('code --add-mcp'))
    expect(vscode('linux')).toContain(`'{"name":"notes"`)
    expect(vscode('win32')).toContain(`'{\\"name\\":\\"notes\\"`)
  })
})

describe('quoting', () => {
  const json = JSON.stringify({ name: 'notes', type: 'http', url: server.endpoint })

  test('a POSIX shell hands on exactly the text', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !text.includes('\0'))
    fc.assert(
      fc.property(fc.oneof(texts, fc.constantFrom(json, `'`, `'"$(x)\\`)), (text) => {
        const out = execFileSync('sh', ['-c', `printf %s ${quotings.posix(text)}`], { encoding: 'utf8' })
        expect(out).toBe(text)
      }),
      { numRuns: 20 },
    )
  })

  test('Windows: JSON keeps its quotes on the way through the shell and the program’s own reading', () => {
    const { cmd, powershell } = quotings
    expect(cmd(json)).toBe(`"${json.replaceAll('"', '\\"')}"`)
    expect(powershell(json)).toBe(`'${json.replaceAll('"', '\\"')}'`)
    expect(powershell(`it's`)).toBe(`'it''s'`)
  })
})
