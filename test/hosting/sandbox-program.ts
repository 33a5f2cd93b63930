// Hosts the probing server in a sandbox, lets a process of it leave, says what it says of itself, and waits to be killed.
import { join } from 'node:path'
import { createStdioHost } from '@warder/bridge'
import { callTool } from './ask-host.ts'

const [mark = ''] = process.argv.slice(2)
const command = [process.execPath, join(import.meta.dirname, 'probing-server.mjs')]
const host = createStdioHost({ command, env: {}, sandbox: { hidden: [] } })
await callTool(host, 'a', 'leave', { mark })
process.stdout.write(`${JSON.stringify(await callTool(host, 'a', 'self'))}\n`)
setInterval(() => undefined, 1000)
