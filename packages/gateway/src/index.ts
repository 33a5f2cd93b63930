export {
  bodyDigest,
  type DecisionEntry,
  type DecisionLog,
  type DecisionLogOptions,
  type OutcomeEntry,
  openDecisionLog,
} from './decision-log.ts'
export type {
  CountRecord,
  DecisionRecord,
  LogRecord,
  LossRecord,
  OutcomeRecord,
  RepairRecord,
} from './decision-record.ts'
export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts'
export { type HttpUpstreamOptions, httpUpstream } from './http-upstream.ts'
export type { LogHead } from './log-chain.ts'
export type { ExchangeLimits } from './open-exchanges.ts'
export { type ReadDecisionLogOptions, readDecisionLog } from './read-decision-log.ts'
export type { Route } from './route.ts'
export { gatewayServerOptions } from './server-options.ts'
export { stdioUpstream } from './stdio-upstream.ts'
export type { Upstream, UpstreamAnswer, UpstreamCall } from './upstream.ts'
export { type AssertionSigner, assertionSigner } from './upstream-credentials.ts'
export { type LogProblem, type LogVerification, verifyDecisionLog } from './verify-decision-log.ts'
