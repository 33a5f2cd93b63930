/*
 * Names in `_meta` (revision 2026-07-28), spelled here: the SDK knows them too, but to load it takes longer than the rest of the
 * bridge.
 */
export const PROTOCOL_VERSION_META_KEY = 'io.modelcontextprotocol/protocolVersion'
export const CLIENT_CAPABILITIES_META_KEY = 'io.modelcontextprotocol/clientCapabilities'
export const CLIENT_INFO_META_KEY = 'io.modelcontextprotocol/clientInfo'
export const LOG_LEVEL_META_KEY = 'io.modelcontextprotocol/logLevel'
export const SERVER_INFO_META_KEY = 'io.modelcontextprotocol/serverInfo'
export const SUBSCRIPTION_ID_META_KEY = 'io.modelcontextprotocol/subscriptionId'
