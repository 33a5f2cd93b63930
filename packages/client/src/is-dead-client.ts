import { Refusal } from '@warder/protocol'
import { TokenEndpointError } from './tokens/token-endpoint-error.ts'

/** Whether the authorization server said, proven, that it does not know the client. */
export function isDeadClient(error: unknown): boolean {
  const said =
    error instanceof TokenEndpointError && !error.transient
      ? error.error
      : error instanceof Refusal && error.reason === 'callback.refused'
        ? (error.notes.data as { readonly error?: string } | undefined)?.error
        : undefined
  return said === 'invalid_client' || said === 'unauthorized_client'
}
