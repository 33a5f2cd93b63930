import { readNetwork } from '@warder/outbound'
import { messageOf } from '@warder/protocol'
import { note } from '../output.ts'
import type { ProofRow } from '../prove/proof.ts'
import { proveFromOutside } from '../prove/prove-from-outside.ts'
import type { OpenServer } from './open-server.ts'

/** A server with what a stranger could do at its endpoint. */
export interface ProvenServer extends OpenServer {
  readonly proof: readonly ProofRow[]
}

/** The outside proof of our own endpoints, one after the other; all of them share one door and its limits. */
export async function proveOwn(servers: readonly OpenServer[]): Promise<readonly ProvenServer[]> {
  const proven: ProvenServer[] = []
  for (const server of servers) proven.push({ ...server, proof: await proofOf(server) })
  return proven
}

/** Behind a public name the endpoint may be out of reach from here, which is no fault. */
async function proofOf({ endpoint }: OpenServer): Promise<readonly ProofRow[]> {
  try {
    return await proveFromOutside(endpoint, readNetwork(process.env))
  } catch (error) {
    note(`The outside proof could not reach ${endpoint} from here: ${messageOf(error)}`)
    return []
  }
}
