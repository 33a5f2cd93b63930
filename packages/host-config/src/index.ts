export { type HostDocument, type HostNode, nodeAt, plainValue } from './documents/host-node.ts'
export { loadDocument } from './documents/load-document.ts'
export { checkHostFileEdit, editHostFile, type HostFileEdit } from './edit/edit-host-file.ts'
export type { Entry, EntryChange, EntryValue } from './edit/entry.ts'
export { HostFileError } from './edit/host-file-error.ts'
export { type WrittenEntry, writeEntry } from './edit/write-entry.ts'
export { writeEntryText } from './edit/write-entry-text.ts'
export { type ExpansionStyle, type Piece, readPieces } from './expand.ts'
export { type ExpandedServer, expandServer } from './expand-server.ts'
export type { Finding, FindingRule, Place } from './finding.ts'
export { type Dialect, dialects } from './hosts/dialects.ts'
export { isHeaderName, isHeaderValue } from './hosts/entry-reader.ts'
export {
  type HostPlaces,
  type ListPlace,
  listPlace,
  managedDirectory,
  warderDirectory,
} from './hosts/places.ts'
export { unreadFields } from './hosts/unread-fields.ts'
export { type HostConfig, loadHostConfig } from './load-host-config.ts'
export { decideManaged, type ManagedDecision, type PolicyTarget } from './policy/decide-managed.ts'
export type { ManagedPolicy } from './policy/managed-policy.ts'
export { matchesUrl, readUrlPattern, type UrlPattern } from './policy/url-pattern.ts'
export {
  bridgeTargets,
  decidePolicy,
  type EffectiveServer,
  type ListedServer,
  listServers,
  resolveServer,
  type ServerStatus,
  whereIs,
} from './resolve-server.ts'
export { findSecrets, findSecretsInWords, type WritableServer } from './secrets/check-writable.ts'
export { isSecretName, isSecretValue, looksSecret } from './secrets/looks-secret.ts'
export { beginsWithUrl } from './secrets/secret-in-url.ts'
export { isSecretReference, readSecretReference, type SecretReference } from './secrets/secret-reference.ts'
export type { Span } from './secrets/secrets-in-word.ts'
export {
  type HeaderVariable,
  type Host,
  hosts,
  type OAuthPins,
  type Scope,
  type ServerConfig,
  type ServerSource,
  type Texts,
  type Transport,
} from './server-config.ts'
export { hasHiddenCharacter, isPlainName } from './server-name.ts'
export {
  decideTool,
  type ServerToolOptions,
  type ServerToolRules,
  serverToolRules,
  type ToolVerdict,
} from './tools/decide-tool.ts'
export { readToolRule, type ToolRule } from './tools/tool-rule.ts'
