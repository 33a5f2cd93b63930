export { isPublicAddress } from './check-address.ts'
export {
  createOutbound,
  type OutboundAnswer,
  type OutboundFetch,
  type OutboundOptions,
  type OutboundRequest,
  type ResolvedAddress,
} from './outbound.ts'
