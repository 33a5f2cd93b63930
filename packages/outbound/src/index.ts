export { isPublicAddress } from './check-address.ts'
export { findProxy, type Proxies } from './find-proxy.ts'
export { type ClientCertificate, InvalidNetwork, type Network, readNetwork } from './network.ts'
export {
  createOutbound,
  type OutboundAnswer,
  type OutboundFetch,
  type OutboundOptions,
  type OutboundRequest,
} from './outbound.ts'
export { type Reach, reachOf } from './reach.ts'
export type { Resolve, ResolvedAddress } from './resolve-name.ts'
export { createUserFetch, type UserFetch, type UserRequest } from './user-fetch.ts'
