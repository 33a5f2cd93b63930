import { createHash } from 'node:crypto'

/**
 * The one stylesheet of all pages, inline, so that a page needs nothing else from anywhere. Allow takes no click before the
 * pointer has been over the page for a moment: else another site could put our page under the second click of a double click
 * ("double-clickjacking"; no framing is needed for it). The keyboard, and fingers, are not slowed down.
 */
export const pageStyle: string = `
:root {
  color-scheme: light dark;
  --page: #f2f3ef; --card: #ffffff; --ink: #1b2321; --muted: #525d59; --line: #d8ddd8; --edge: #75807b; --soft: #f2f4f1;
  --accent: #0e5a4b; --on-accent: #ffffff; --accent-over: #0a4639;
  --caution: #684400; --caution-soft: #fdf4de; --caution-line: #d9a93f;
  --risk: #98280f; --risk-soft: #fdefeb; --risk-line: #cf6a52;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1312; --card: #181e1c; --ink: #e7ece9; --muted: #a5b1ac; --line: #303936; --edge: #7d8984; --soft: #202725;
    --accent: #62cfb3; --on-accent: #05231c; --accent-over: #86e0c8;
    --caution: #f3cf84; --caution-soft: #2a2211; --caution-line: #8a6a26;
    --risk: #ffa38d; --risk-soft: #321b16; --risk-line: #a04e3b;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; padding: 2.5rem 1rem 2rem; min-height: 100vh; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; overflow-wrap: anywhere;
}
header, main, footer { max-width: 27rem; margin-inline: auto; }
header { display: flex; align-items: center; justify-content: center; gap: .5rem; margin-bottom: 1.25rem; color: var(--accent); font-weight: 650; letter-spacing: .01em; }
main { background: var(--card); border: 1px solid var(--line); border-radius: 1rem; padding: 2rem; box-shadow: 0 1px 2px rgb(0 0 0 / .04), 0 8px 28px rgb(0 0 0 / .06); }
main.wide { max-width: 37rem; }
footer { margin-top: 1.25rem; text-align: center; font-size: .8125rem; color: var(--muted); }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650; letter-spacing: -.012em; text-wrap: balance; }
h1 strong { font-weight: inherit; }
h2, legend { margin: 0 0 .25rem; padding: 0; font-size: 1rem; line-height: 1.4; font-weight: 650; }
p { margin: 0; }
bdi { overflow: clip; }
strong { font-weight: 650; }
.name { background: var(--soft); border-radius: .375rem; padding: 0 .3em; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.lead { color: var(--muted); }
.lead strong { color: var(--ink); }
.where { margin-top: .5rem; }
.small { margin-top: 1.25rem; font-size: .875rem; color: var(--muted); }
.hint { font-size: .875rem; color: var(--muted); }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: .8125rem; }
.url { color: var(--muted); }
.host { font-weight: 650; }
.icon { flex: none; width: 1em; height: 1em; vertical-align: -.125em; }
.badge { display: inline-flex; align-items: center; gap: .3em; padding: .05rem .5rem; border: 1px solid var(--line); border-radius: 1rem; font-size: .8125rem; line-height: 1.4; font-weight: 550; color: var(--muted); vertical-align: .08em; max-width: 100%; }
.proven, .new { color: var(--accent); border-color: currentColor; }
.doubtful { color: var(--caution); background: var(--caution-soft); border-color: var(--caution-line); }
.badge.risky { color: var(--risk); background: var(--risk-soft); border-color: var(--risk-line); }
.note { display: flex; gap: .625rem; margin-top: .5rem; padding: .625rem .75rem; border: 1px solid; border-radius: .625rem; font-size: .875rem; line-height: 1.45; }
.note .icon { margin-top: .2em; }
.caution { color: var(--caution); background: var(--caution-soft); border-color: var(--caution-line); }
.alert { margin: 0 0 1rem; color: var(--risk); background: var(--risk-soft); border-color: var(--risk-line); }

.facts { margin: 1.25rem 0 1.75rem; border-block: 1px solid var(--line); }
.facts > div { display: grid; grid-template-columns: 8rem 1fr; gap: .25rem 1rem; padding: .75rem 0; }
.facts > div + div { border-top: 1px solid var(--line); }
.facts dt { font-size: .875rem; line-height: 1.714; color: var(--muted); }
.facts dd { margin: 0; min-width: 0; }
.facts .name { background: none; padding: 0; }
.facts dd > .badge { margin-left: .25rem; }
.facts dd > p { font-size: .875rem; color: var(--muted); }

form { margin: 1.5rem 0 0; }
.field { margin-bottom: 1.125rem; }
.field label { display: block; font-weight: 600; font-size: .9375rem; }
.field input { display: block; width: 100%; min-height: 2.875rem; margin-top: .375rem; padding: .5rem .75rem; font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--edge); border-radius: .625rem; }
.field input[aria-invalid] { border: 2px solid var(--risk); }
button { width: 100%; min-height: 3rem; padding: .5rem 1rem; font: inherit; font-weight: 650; border-radius: .625rem; cursor: pointer; border: 2px solid var(--accent); }
.allow { background: var(--accent); color: var(--on-accent); }
.allow:hover { background: var(--accent-over); border-color: var(--accent-over); }
.deny { background: var(--card); color: var(--accent); }
.deny:hover { background: var(--soft); }
.decision { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin-top: 1.25rem; }
@media (hover: hover) {
  .decision .allow { pointer-events: none; }
  main:hover .decision .allow { pointer-events: auto; transition: pointer-events 0s .8s allow-discrete; }
}
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }

section, fieldset { margin: 0 0 1.5rem; padding: 0; border: 0; min-width: 0; }
ul { list-style: none; margin: 0; padding: 0; }
.scope { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; padding: .5rem 0; border-top: 1px solid var(--line); }
.scopes { margin-top: .5rem; border-bottom: 1px solid var(--line); }
.scope label, .scope .title { align-self: stretch; padding: .625rem 0; min-height: 2.75rem; font-weight: 600; }
.scope label, .scope .title { display: flex; flex-wrap: wrap; align-items: center; gap: .125rem .5rem; min-width: 0; }
.scope label { cursor: pointer; }
.fixed { align-self: center; width: 3.25rem; text-align: center; color: var(--accent); font-size: 1.25rem; line-height: 1; }
.about { grid-column: 1 / -1; font-size: .875rem; color: var(--muted); padding-bottom: .5rem; }
.opens { margin-top: .375rem; }
.tools { display: flex; flex-wrap: wrap; gap: .375rem; margin-top: .375rem; }
.tools li { display: inline-flex; flex-wrap: wrap; align-items: center; gap: 0 .4rem; padding: .1rem .5rem; border-radius: .375rem; background: var(--soft); color: var(--ink); max-width: 100%; }
.tools .risky { background: var(--risk-soft); box-shadow: inset 0 0 0 1px var(--risk-line); }
.tools .risky span { display: inline-flex; align-items: center; gap: .25em; color: var(--risk); font-weight: 600; font-size: .8125rem; }
details { margin-bottom: -.5rem; }
details[open] { margin-bottom: 0; }
summary { display: inline-block; min-height: 2.75rem; padding: .625rem .5rem .625rem 0; color: var(--accent); font-weight: 600; cursor: pointer; border-radius: .375rem; }
summary::before { content: "+"; display: inline-block; width: 1.1em; font-weight: 700; }
details[open] summary::before { content: "–"; }

[role=switch] { -webkit-appearance: none; appearance: none; position: relative; align-self: center; width: 3.25rem; height: 2.75rem; margin: 0; cursor: pointer; border-radius: .5rem; }
[role=switch]::before { content: ""; position: absolute; inset: .4375rem 0; border: 2px solid var(--edge); border-radius: 1rem; background: var(--card); }
[role=switch]::after { content: ""; position: absolute; top: .8125rem; left: .375rem; width: 1.125rem; height: 1.125rem; border-radius: 50%; background: var(--edge); }
[role=switch]:checked::before { background: var(--accent); border-color: var(--accent); }
[role=switch]:checked::after { left: 1.75rem; background: var(--on-accent); }
@media (prefers-reduced-motion: no-preference) { [role=switch]::before, [role=switch]::after { transition: left .12s, background-color .12s; } }

.servers { margin-top: .75rem; }
.servers li { padding: .5rem .75rem; border-radius: .625rem; background: var(--soft); }
.servers li + li { margin-top: .375rem; }
.servers code { display: block; }
.done { font-size: 2.5rem; line-height: 1; color: var(--accent); margin-bottom: .75rem; }
main > h2 { margin-top: 1.5rem; }
.done .icon { display: block; margin-left: -.0625em; }

.grant { margin-top: 1.5rem; padding: 1.25rem; border: 1px solid var(--line); border-radius: .875rem; }
.grant h3 { margin: 0; font-size: 1.0625rem; line-height: 1.4; font-weight: 650; }
.grant > p { font-size: .875rem; color: var(--muted); }
.grant details { margin: .5rem 0 0; }
.grant form { margin-top: .75rem; }
.grant fieldset, .grant section { margin-bottom: .75rem; }
.quiet { color: var(--risk); background: var(--card); border-color: var(--risk-line); }
.quiet:hover { background: var(--risk-soft); }
.row { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; }
.row form { margin: 0; }
.row button { width: auto; min-height: 2.75rem; }
.rows > li { padding: .5rem 0; border-top: 1px solid var(--line); }
.rows { border-bottom: 1px solid var(--line); }
.note.good { margin: 0 0 1rem; color: var(--accent); background: var(--soft); }

@media (max-width: 34rem) {
  .grant { padding: 1rem; }
  body { padding: 1rem 0 1.5rem; }
  main { border-width: 1px 0; border-radius: 0; padding: 1.5rem 1.125rem; box-shadow: none; }
  .facts > div { grid-template-columns: 1fr; }
}
@media (forced-colors: active) {
  [role=switch] { appearance: auto; width: 1.5rem; height: 1.5rem; }
  [role=switch]::before, [role=switch]::after { content: none; }
  .note, .badge, .tools li { border: 1px solid; }
}
`

/** The CSP source that allows this stylesheet and no other, with its quotes: `'sha256-…'`. */
export const pageStyleHash: string = `'sha256-${createHash('sha256').update(pageStyle).digest('base64')}'`
