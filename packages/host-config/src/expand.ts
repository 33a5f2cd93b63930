/** Which variables a host puts in: `shell` is `${VAR}` and `${VAR:-default}`. */
export type ExpansionStyle = 'shell' | 'vscode' | 'cursor' | 'gemini' | 'none'

/** A text cut into what stands for itself and what stands for something else. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly fallback?: string; readonly text: string }
  /** VS Code asks the user for it. */
  | { readonly kind: 'input'; readonly name: string; readonly text: string }
  /** A place that the host knows, such as the folder that is open. */
  | { readonly kind: 'place'; readonly name: string; readonly text: string }

/** What variables stand for, when a server is used. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** The directory of the project. */
  readonly project: string
  /** Values that are set for this entry alone, such as `CLAUDE_PLUGIN_ROOT`. They beat `env`. */
  readonly own?: Readonly<Record<string, string>>
}

export interface Expanded {
  readonly text: string
  /** Variables and inputs that nobody has set; their literal text is still in `text`. */
  readonly unset: readonly string[]
}

const patterns: Readonly<Record<ExpansionStyle, RegExp | undefined>> = {
  shell: /\$\{(?<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?<fallback>[^}]*))?\}/gu,
  gemini:
    /\$\{(?<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?<fallback>[^}]*))?\}|\$(?<bare>[A-Za-z_][A-Za-z0-9_]*)/gu,
  vscode: /\$\{(?:env:(?<name>[^}]+)|input:(?<input>[^}]+)|(?<place>[A-Za-z]+))\}/gu,
  cursor: /\$\{(?:env:(?<name>[^}]+)|input:(?<input>[^}]+)|(?<place>[A-Za-z]+|\/))\}/gu,
  none: undefined,
}

/** Cuts a text at its variables, as a host of this style finds them. */
export function readPieces(text: string, style: ExpansionStyle): readonly Piece[] {
  const pattern = patterns[style]
  if (pattern === undefined) return text === '' ? [] : [{ kind: 'text', text }]
  const pieces: Piece[] = []
  let end = 0
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) pieces.push({ kind: 'text', text: text.slice(end, match.index) })
    pieces.push(pieceOf(match[0], match.groups ?? {}))
    end = match.index + match[0].length
  }
  if (end < text.length) pieces.push({ kind: 'text', text: text.slice(end) })
  return pieces
}

function pieceOf(text: string, groups: Readonly<Record<string, string | undefined>>): Piece {
  const { bare, input, place, fallback } = groups
  if (input !== undefined) return { kind: 'input', name: input, text }
  if (place !== undefined) return { kind: 'place', name: place, text }
  const name = groups['name'] ?? bare ?? ''
  return { kind: 'variable', name, text, ...(fallback === undefined ? {} : { fallback }) }
}

/**
 * A text with its variables put in. One pass: what a variable holds is not expanded again. What nobody has
 * set stays as it is written, and is named in `unset`; who would send it as a credential must not.
 */
export function expandText(text: string, style: ExpansionStyle, around: Surroundings): Expanded {
  const unset: string[] = []
  const parts = readPieces(text, style).map((piece) => {
    const value = valueOfPiece(piece, around)
    if (value === undefined && piece.kind !== 'text') unset.push(piece.name)
    return value ?? piece.text
  })
  return { text: parts.join(''), unset }
}

function valueOfPiece(piece: Piece, around: Surroundings): string | undefined {
  if (piece.kind === 'text') return piece.text
  if (piece.kind === 'input') return undefined
  if (piece.kind === 'place') return placeValue(piece.name, around)
  const { own = {}, env } = around
  if (Object.hasOwn(own, piece.name)) return own[piece.name]
  return (Object.hasOwn(env, piece.name) ? env[piece.name] : undefined) ?? piece.fallback
}

function placeValue(name: string, { home, project }: Surroundings): string | undefined {
  if (name === 'workspaceFolder') return project
  if (name === 'workspaceFolderBasename') return project.split(/[\\/]/).at(-1)
  if (name === 'userHome') return home
  if (name === 'pathSeparator' || name === '/') return process.platform === 'win32' ? '\\' : '/'
  return undefined
}
