/** An MCP client that we know how to set up. */
export interface SetUpClient {
  /** What `warder setup --client` takes. */
  readonly id: string
  readonly title: string
  /** Lines to paste, and where they go. */
  lines(server: { readonly name: string; readonly endpoint: string }): readonly string[]
}

/** A text as one word of a shell. */
export const quotings = {
  posix: (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`,
  cmd: (text: string): string => `"${text.replaceAll('"', '\\"')}"`,
  // PowerShell hands quotes on to a program only behind a backslash; inside single quotes it changes nothing else.
  powershell: (text: string): string => `'${text.replaceAll("'", "''").replaceAll('"', '\\"')}'`,
} as const

/** The clients that most people have, in the order in which they are shown. */
export const setUpClients: readonly SetUpClient[] = [
  {
    id: 'claude-code',
    title: 'Claude Code',
    lines: ({ name, endpoint }) => [
      `claude mcp add --transport http ${name} ${endpoint}`,
      'Then sign in: /mcp in Claude Code.',
    ],
  },
  {
    id: 'mcp-json',
    title: '.mcp.json of a project',
    lines: ({ name, endpoint }) => [json({ mcpServers: { [name]: { type: 'http', url: endpoint } } })],
  },
  {
    id: 'vscode',
    title: 'VS Code',
    lines: ({ name, endpoint }) => {
      const server = json({ name, type: 'http', url: endpoint })
      return [
        'macOS, Linux:',
        `  code --add-mcp ${quotings.posix(server)}`,
        'Windows, PowerShell:',
        `  code --add-mcp ${quotings.powershell(server)}`,
        'Windows, cmd:',
        `  code --add-mcp ${quotings.cmd(server)}`,
        'Or .vscode/mcp.json of a project:',
        `  ${json({ servers: { [name]: { type: 'http', url: endpoint } } })}`,
      ]
    },
  },
  {
    id: 'cursor',
    title: 'Cursor',
    lines: ({ name, endpoint }) => [
      '~/.cursor/mcp.json (Windows: %USERPROFILE%\\.cursor\\mcp.json), or .cursor/mcp.json of a project:',
      `  ${json({ mcpServers: { [name]: { url: endpoint } } })}`,
      'Then sign in: Settings, MCP, “Needs login”.',
    ],
  },
  {
    id: 'codex',
    title: 'Codex',
    lines: ({ name, endpoint }) => [
      `codex mcp add ${name} --url ${endpoint}`,
      `codex mcp login ${name}`,
      'Or ~/.codex/config.toml (Windows: %USERPROFILE%\\.codex\\config.toml):',
      `  [mcp_servers.${name}]`,
      `  url = ${json(endpoint)}`,
    ],
  },
  {
    id: 'gemini',
    title: 'Gemini CLI',
    lines: ({ name, endpoint }) => [
      `gemini mcp add --transport http ${name} ${endpoint}`,
      'Or ~/.gemini/settings.json (Windows: %USERPROFILE%\\.gemini\\settings.json):',
      `  ${json({ mcpServers: { [name]: { httpUrl: endpoint } } })}`,
      `Then sign in: /mcp auth ${name} in Gemini CLI.`,
    ],
  },
]

/** The few lines of the first screen; `warder setup` has the rest. */
export function setUpLines(
  server: {
    readonly name: string
    readonly endpoint: string
    /** What `warder setup` must be told to find the state; nothing by default. */
    readonly stateWords?: string
  },
  platform: NodeJS.Platform = process.platform,
): string[] {
  const { name, endpoint, stateWords = '' } = server
  const quoted = quotings[platform === 'win32' ? 'powershell' : 'posix']
  return [
    `  Claude Code   claude mcp add --transport http ${name} ${endpoint}`,
    `  .mcp.json     ${json({ mcpServers: { [name]: { type: 'http', url: endpoint } } })}`,
    `  VS Code       code --add-mcp ${quoted(json({ name, type: 'http', url: endpoint }))}`,
    `  others        warder setup ${name}${stateWords}`,
  ]
}

function json(value: unknown): string {
  return JSON.stringify(value)
}
