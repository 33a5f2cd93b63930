// Hosts the command that its arguments name for some users, says which processes there are, and waits to be killed.
import { createStdioHost } from '@warder/bridge'
import { callTool } from './ask-host.ts'

const host = createStdioHost({ command: process.argv.slice(2), env: {} })
const pids = await Promise.all(['a', 'b'].map((owner) => callTool(host, owner, 'any')))
process.stdout.write(`${JSON.stringify(pids.flat())}\n`)
setInterval(() => undefined, 1000)
