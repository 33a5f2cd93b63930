/** The two wire eras of MCP: with `initialize` and sessions (up to 2025-11-25), or stateless (from 2026-07-28). */
export type McpEra = 'session' | 'stateless'

/** How a method is decided: by the target that it names, or by nothing but a valid token and access to the server. */
export type McpMethodKind = 'tool' | 'resource' | 'prompt' | 'completion' | 'list' | 'session'

/** One method that a client may send. */
export interface McpMethod {
  readonly form: 'request' | 'notification'
  readonly kind: McpMethodKind
  readonly eras: readonly McpEra[]
  /** The member of `params` that names the target, mirrored in `Mcp-Name` where `mirrored`. */
  readonly target?: 'name' | 'uri'
  readonly mirrored?: boolean
  /** The member of the result that holds the list. */
  readonly lists?: 'tools' | 'resources' | 'resourceTemplates' | 'prompts'
}

const both: readonly McpEra[] = ['session', 'stateless']
const older: readonly McpEra[] = ['session']
const newer: readonly McpEra[] = ['stateless']

/**
 * Every method that a client may send, of revisions 2025-03-26 to 2026-07-28; what is not here is refused (M10).
 *
 * The `tasks/*` methods are left out on purpose: a task id does not say whose task it is, so none may pass before tasks are
 * bound to the one who started them (M23). Methods that only servers send are not here either.
 */
export const knownMethods: ReadonlyMap<string, McpMethod> = new Map<string, McpMethod>([
  ['tools/call', { form: 'request', kind: 'tool', eras: both, target: 'name', mirrored: true }],
  ['prompts/get', { form: 'request', kind: 'prompt', eras: both, target: 'name', mirrored: true }],
  ['resources/read', { form: 'request', kind: 'resource', eras: both, target: 'uri', mirrored: true }],
  ['resources/subscribe', { form: 'request', kind: 'resource', eras: older, target: 'uri' }],
  ['resources/unsubscribe', { form: 'request', kind: 'resource', eras: older, target: 'uri' }],
  ['completion/complete', { form: 'request', kind: 'completion', eras: both }],
  ['tools/list', { form: 'request', kind: 'list', eras: both, lists: 'tools' }],
  ['resources/list', { form: 'request', kind: 'list', eras: both, lists: 'resources' }],
  ['resources/templates/list', { form: 'request', kind: 'list', eras: both, lists: 'resourceTemplates' }],
  ['prompts/list', { form: 'request', kind: 'list', eras: both, lists: 'prompts' }],
  ['initialize', { form: 'request', kind: 'session', eras: older }],
  ['ping', { form: 'request', kind: 'session', eras: older }],
  ['logging/setLevel', { form: 'request', kind: 'session', eras: older }],
  ['server/discover', { form: 'request', kind: 'session', eras: newer }],
  ['subscriptions/listen', { form: 'request', kind: 'session', eras: newer }],
  ['notifications/initialized', { form: 'notification', kind: 'session', eras: older }],
  ['notifications/roots/list_changed', { form: 'notification', kind: 'session', eras: older }],
  ['notifications/cancelled', { form: 'notification', kind: 'session', eras: both }],
  ['notifications/progress', { form: 'notification', kind: 'session', eras: both }],
])
