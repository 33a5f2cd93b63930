import type { JsonStyle } from '../documents/read-json.ts'
import type { ExpansionStyle } from '../expand.ts'
import type { Host } from '../server-config.ts'

/** How a host's file is written. */
export type HostStyle = JsonStyle | 'toml'

/** What differs between the lists of servers that hosts keep. */
export interface Dialect {
  readonly title: string
  readonly style: HostStyle
  /** The key of the table of servers. */
  readonly table: string
  readonly expansion: ExpansionStyle
  /** An entry with `url` and no `type` is a mistake in one host and the usual way in others. */
  readonly typeOfUrl: 'required' | 'http' | 'sse'
  /** Transports that the host speaks. */
  readonly speaks: readonly ('http' | 'sse' | 'stdio' | 'ws')[]
  /** Whether the host can sign in by OAuth. */
  readonly signsIn: boolean
}

export const dialects: Readonly<Record<Host, Dialect>> = {
  warder: {
    title: 'Warder',
    style: 'strict',
    table: 'mcpServers',
    expansion: 'shell',
    typeOfUrl: 'required',
    // A host starts local servers; Warder has nothing to do for them.
    speaks: ['http', 'sse'],
    signsIn: true,
  },
  'claude-code': {
    title: 'Claude Code',
    style: 'strict',
    table: 'mcpServers',
    expansion: 'shell',
    typeOfUrl: 'required',
    speaks: ['http', 'sse', 'stdio', 'ws'],
    signsIn: true,
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    style: 'strict',
    table: 'mcpServers',
    expansion: 'none',
    typeOfUrl: 'required',
    speaks: ['stdio'],
    signsIn: false,
  },
  vscode: {
    title: 'VS Code',
    style: 'comments',
    table: 'servers',
    expansion: 'vscode',
    typeOfUrl: 'http',
    speaks: ['http', 'sse', 'stdio'],
    signsIn: true,
  },
  cursor: {
    title: 'Cursor',
    style: 'comments',
    table: 'mcpServers',
    expansion: 'cursor',
    typeOfUrl: 'http',
    speaks: ['http', 'sse', 'stdio'],
    signsIn: true,
  },
  codex: {
    title: 'Codex',
    style: 'toml',
    table: 'mcp_servers',
    expansion: 'none',
    typeOfUrl: 'http',
    speaks: ['http', 'stdio'],
    signsIn: true,
  },
  gemini: {
    title: 'Gemini CLI',
    style: 'comments',
    table: 'mcpServers',
    expansion: 'gemini',
    typeOfUrl: 'sse',
    speaks: ['http', 'sse', 'stdio'],
    signsIn: true,
  },
}
