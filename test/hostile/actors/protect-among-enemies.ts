import { createOutbound, type ResolvedAddress } from '@warder/outbound'
import { readInput } from '../../../apps/cli/src/command.ts'
import { protect } from '../../../apps/cli/src/commands/protect.ts'
import { readProtectOptions } from '../../../apps/cli/src/protect/read-options.ts'
import { startProtecting } from '../../../apps/cli/src/protect/start-protecting.ts'

// `warder protect`, except that client metadata documents may come from one host on this computer, and that all names are
// resolved by a name server that lies. Everything else of the fetch is as it is shipped.
const documents = process.env['DOCUMENT_HOST']
const names = process.env['LYING_NAMES'] ?? ''

async function resolve(name: string): Promise<readonly ResolvedAddress[]> {
  if (name === 'localhost') return [{ address: '127.0.0.1' }]
  return (await fetch(`${names}?name=${encodeURIComponent(name)}`)).json() as Promise<ResolvedAddress[]>
}

const options = readProtectOptions(readInput(protect, process.argv.slice(3)))
process.exitCode = await startProtecting(options, {
  createFetch: (ownOrigins) =>
    createOutbound({ ownOrigins, resolve, dangerouslyAllowFetch: (url) => url.host === documents }),
})
