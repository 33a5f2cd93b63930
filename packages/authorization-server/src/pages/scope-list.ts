import { html } from 'hono/html'
import { checkIcon, warningIcon } from './icons.ts'
import { isolate } from './isolate.ts'
import type { Markup } from './markup.ts'
import type { ScopeView, ToolView } from './views.ts'

/** So many tools are named at once; the rest opens on demand. */
const toolsShown = 6

/** What the consent page knows about all switches together. */
export interface ScopeListView {
  readonly scopes: readonly ScopeView[]
  readonly chosen: readonly string[] | undefined
  /** Tells several lists on one page apart. */
  readonly prefix?: string
  /** What the switches are for; a default that fits the consent page. */
  readonly hint?: string
}

/** The scopes of one consent: the basic ones without a switch, then one switch for each other scope. */
export function scopeList(view: ScopeListView): Markup {
  const { prefix = '', hint = 'You can switch off what you do not want to give.' } = view
  const wider = view.scopes.some((scope) => scope.earlier === 'granted')
  const basic = view.scopes.filter((scope) => scope.basic)
  const others = view.scopes.filter((scope) => !scope.basic)
  const included = html`<section aria-labelledby="${prefix}basic-title">
<h2 id="${prefix}basic-title">Always included</h2>
<ul class="scopes" role="list">
${basic.map(
  (scope, index) =>
    html`<li class="scope"><p class="title">${isolate(scope.title, 120)}${scopeBadges(scope, wider)}</p><span class="fixed">${checkIcon}</span>
<div class="about">${scopeDetails(scope, `${prefix}basic-${index}`)}</div>
</li>
`,
)}</ul>
</section>`
  const switches = html`<fieldset>
<legend>${basic.length === 0 ? 'What it may do' : 'What else it may do'}</legend>
<p class="hint">${hint}</p>
<ul class="scopes" role="list">
${others.map((scope, index) => scopeSwitch(scope, `${prefix}scope-${index}`, wider, view.chosen))}</ul>
</fieldset>`
  return html`${basic.length === 0 ? '' : included}
${others.length === 0 ? '' : switches}`
}

function scopeSwitch(
  scope: ScopeView,
  id: string,
  wider: boolean,
  chosen: readonly string[] | undefined,
): Markup {
  const on = chosen === undefined ? isOnAtFirst(scope) : chosen.includes(scope.name)
  return html`<li class="scope">
<label for="${id}">${isolate(scope.title, 120)}${scopeBadges(scope, wider)}</label>
<input id="${id}" type="checkbox" role="switch" name="scope" value="${scope.name}" aria-describedby="${id}-about"${
    on ? html` checked` : ''
  }>
<div class="about">${scopeDetails(scope, id)}</div>
</li>
`
}

/** On, unless it is dangerous or was declined before: then giving it takes a deliberate act. */
function isOnAtFirst(scope: ScopeView): boolean {
  if (scope.earlier !== undefined) return scope.earlier === 'granted'
  return !scope.highRisk
}

function scopeBadges(scope: ScopeView, wider: boolean): Markup {
  const risk = scope.highRisk ? html` <span class="badge risky">${warningIcon}high risk</span>` : ''
  const isNew = wider && scope.earlier === undefined ? html` <span class="badge new">new</span>` : ''
  const granted = scope.earlier === 'granted' ? html` <span class="badge">allowed already</span>` : ''
  const declined = scope.earlier === 'declined' ? html` <span class="badge">declined before</span>` : ''
  return html`${risk}${isNew}${granted}${declined}`
}

function scopeDetails(scope: ScopeView, id: string): Markup {
  const description = scope.description === undefined ? '' : html`<p>${isolate(scope.description, 400)}</p>\n`
  const includes =
    scope.includes.length === 0
      ? ''
      : html`<p>Includes: ${scope.includes.map((title, index) => html`${index === 0 ? '' : ', '}${isolate(title, 120)}`)}.</p>\n`
  return html`<div id="${id}-about">
${description}${includes}<p class="opens" id="${id}-tools">${toolCount(scope.tools.length)}</p>
</div>
${toolList(scope.tools, id)}`
}

function toolCount(count: number): string {
  if (count === 0) return 'Opens no tool of its own.'
  return count === 1 ? 'Opens one tool' : `Opens ${count} tools`
}

function toolList(tools: readonly ToolView[], id: string): Markup | '' {
  if (tools.length === 0) return ''
  // Risky ones first, so that none hides among the rest.
  const ordered = [...tools.filter((tool) => tool.risky), ...tools.filter((tool) => !tool.risky)]
  const rest = ordered.slice(toolsShown)
  const risky = rest.filter((tool) => tool.risky).length
  const more =
    rest.length === 0
      ? ''
      : html`<details><summary>${rest.length} more ${rest.length === 1 ? 'tool' : 'tools'}${
          risky === 0 ? '' : html`, ${risky} of them risky`
        }</summary><ul class="tools" role="list" aria-label="More tools">${rest.map(toolItem)}</ul></details>`
  return html`<ul class="tools" role="list" aria-labelledby="${id}-tools">${ordered.slice(0, toolsShown).map(toolItem)}</ul>${more}`
}

function toolItem(tool: ToolView): Markup {
  return tool.risky
    ? html`<li class="risky"><code>${isolate(tool.name, 128)}</code> <span>${warningIcon}risky</span></li>`
    : html`<li><code>${isolate(tool.name, 128)}</code></li>`
}
