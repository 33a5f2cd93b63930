import type { Target } from '../target.ts'
import { startOidcProviderTarget } from './oidc-provider.ts'
import { startSdkServerTarget } from './sdk-server.ts'
import { startWarderTarget } from './warder.ts'

/** The products that the table can be pointed at from here. */
export const targets: Readonly<Record<string, () => Promise<Target>>> = {
  warder: startWarderTarget,
  'oidc-provider': startOidcProviderTarget,
  'sdk-server': startSdkServerTarget,
}
