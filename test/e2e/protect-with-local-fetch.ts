import { createOutbound } from '@warder/outbound'
import { readInput } from '../../apps/cli/src/command.ts'
import { protect } from '../../apps/cli/src/commands/protect.ts'
import { readProtectOptions } from '../../apps/cli/src/protect/read-options.ts'
import { startProtecting } from '../../apps/cli/src/protect/start-protecting.ts'

// `warder protect`, except that client metadata documents may come from one test host on this computer.
const host = process.env['DOCUMENT_HOST']
const options = readProtectOptions(readInput(protect, process.argv.slice(3)))
process.exitCode = await startProtecting(options, {
  createFetch: (ownOrigins) =>
    createOutbound({ ownOrigins, dangerouslyAllowFetch: (url) => url.host === host }),
})
