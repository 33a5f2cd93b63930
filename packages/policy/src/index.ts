export type { Asker } from './clause-index.ts'
export { comparePolicies, type PolicyChanges } from './compare-policies.ts'
export { decide, hasAccess, offeredScopes } from './decide.ts'
export type * from './policy.ts'
export { PolicyErrors, type PolicyProblem } from './policy-errors.ts'
export { policySchema } from './policy-schema.ts'
export { policyWarnings } from './policy-warnings.ts'
export { prepareDecisions } from './prepare-decisions.ts'
export {
  type ClientClass,
  type ClientIdentity,
  clientClasses,
  type Principal,
  type UserIdentity,
} from './principal.ts'
export { type PolicyProposal, proposePolicy } from './propose.ts'
export { readPolicy } from './read-file.ts'
export { isServerName } from './read-server.ts'
export { isRiskyTool } from './risky-tool.ts'
export { basicScopes, impliedScopes, toolsOpenedBy } from './scopes.ts'
export type { ToolFacts } from './tool-facts.ts'
