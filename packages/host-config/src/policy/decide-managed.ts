import type { ManagedPolicy, PolicyEntry } from './managed-policy.ts'
import { matchesUrl } from './url-pattern.ts'
import { readWrapped } from './wrapped-urls.ts'

/**
 * What the lists are asked about: a remote server by its URL or a local one by its whole command line,
 * variables expanded.
 */
export type PolicyTarget = { readonly name: string } & (
  | { readonly url: string; readonly argv?: undefined }
  | { readonly argv: readonly string[]; readonly url?: undefined }
)

export type ManagedDecision =
  | { readonly isAllowed: true }
  | { readonly isAllowed: false; readonly why: string; readonly entry?: PolicyEntry }

const allowed: ManagedDecision = { isAllowed: true }

/**
 * Whether the managed lists let a server be used, with words why not. Deny goes before allow. Once an allow
 * list has entries by URL (by command), names count for local (remote) servers only: a name is what the user
 * calls a server, and so no control.
 *
 * A command that wraps a remote server (`npx mcp-remote URL`, `warder connect NAME`) must pass twice: as the
 * command that it is, and as the remote server behind it. `urlOf` knows the URLs of the names in Warder's own
 * list.
 *
 * Asks only about the lists: approvals, and which file wins, are the business of `resolveServer`.
 */
export function decideManaged(
  policy: ManagedPolicy,
  target: PolicyTarget,
  urlOf: (name: string) => string | undefined = () => undefined,
): ManagedDecision {
  if (policy.unreadable !== undefined) {
    const { file, line } = policy.unreadable.place
    return {
      isAllowed: false,
      why: `the managed settings in ${file}:${line} cannot be read, so no server is allowed`,
    }
  }
  const own = decideOne(policy, target)
  if (!own.isAllowed || target.argv === undefined) return own
  return decideWrapped(policy, target.name, target.argv, urlOf)
}

function decideOne(policy: ManagedPolicy, target: PolicyTarget): ManagedDecision {
  const denying = policy.denied.find((entry) => covers(entry, target, 'deny'))
  if (denying !== undefined)
    return { isAllowed: false, why: `a deny list names it (${inWords(denying)})`, entry: denying }
  if (policy.allowed === undefined) return allowed
  const kind = target.argv === undefined ? 'url' : 'command'
  const byKind = policy.allowed.filter((entry) => entry.kind === kind)
  const counting = byKind.length > 0 ? byKind : policy.allowed.filter((entry) => entry.kind === 'name')
  if (counting.some((entry) => covers(entry, target, 'allow'))) return allowed
  return { isAllowed: false, why: noMatch(policy.allowed, kind, byKind.length > 0) }
}

function noMatch(entries: readonly PolicyEntry[], kind: 'url' | 'command', hasKind: boolean): string {
  if (entries.length === 0) return 'the allow list is empty: no server is allowed'
  const what = kind === 'url' ? 'its URL' : 'its command'
  return hasKind
    ? `no entry of the allow list covers ${what}`
    : `no entry of the allow list covers ${what} or its name`
}

function covers(entry: PolicyEntry, target: PolicyTarget, purpose: 'allow' | 'deny'): boolean {
  if (entry.kind === 'name') return entry.name === target.name
  if (entry.kind === 'url') return target.url !== undefined && matchesUrl(entry.pattern, target.url, purpose)
  const { argv } = target
  return (
    argv !== undefined && argv.length === entry.argv.length && argv.every((arg, at) => arg === entry.argv[at])
  )
}

function decideWrapped(
  policy: ManagedPolicy,
  name: string,
  argv: readonly string[],
  urlOf: (name: string) => string | undefined,
): ManagedDecision {
  const wrapped = readWrapped(argv)
  if (wrapped === undefined) return allowed
  const known = wrapped.names.map(urlOf).filter((url) => url !== undefined)
  const urls = [...wrapped.urls, ...known]
  const hasUrlRules = [...policy.denied, ...(policy.allowed ?? [])].some(({ kind }) => kind === 'url')
  if (wrapped.isAmbiguous && hasUrlRules)
    return {
      isAllowed: false,
      why: 'its command has an address that is no plain URL, and the lists speak of URLs',
    }
  if (urls.length === 0)
    return hasUrlRules
      ? {
          isAllowed: false,
          why: 'its command hides which remote server it leads to, and the lists speak of URLs',
        }
      : allowed
  for (const url of urls) {
    const decision = decideOne(policy, { name, url })
    if (!decision.isAllowed)
      return { ...decision, why: `its command leads to a remote server, and ${decision.why}` }
  }
  return allowed
}

function inWords(entry: PolicyEntry): string {
  const { file, line } = entry.place
  return `${file}:${line}`
}
