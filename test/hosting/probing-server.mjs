// A stdio MCP server that tries out what it can reach. Each tool is one attempt; what fails answers the code of the error.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import { hostname } from 'node:os'
import { createInterface } from 'node:readline'

const tools = {
  self: () => ({
    pid: process.pid,
    cwd: process.cwd(),
    home: process.env.HOME,
    hostname: hostname(),
    key: process.env.API_KEY,
    capabilities: /CapEff:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1],
  }),
  read: ({ path }) => readFileSync(path, 'utf8'),
  list: ({ path }) => readdirSync(path),
  write: ({ path }) => writeFileSync(path, 'written') ?? 'written',
  // How much a file takes when so many MiB are written into it, and what keeps it from more.
  grow: ({ path, mebibytes }) => {
    const file = openSync(path, 'w')
    const piece = Buffer.alloc(1024 * 1024)
    let bytes = 0
    try {
      while (bytes < mebibytes * piece.length) bytes += writeSync(file, piece)
      return { bytes }
    } catch ({ code }) {
      return { bytes, code }
    } finally {
      closeSync(file)
      rmSync(path)
    }
  },
  connect: ({ port }) =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('connect', () => resolve('connected'))
      socket.on('error', (error) => resolve(error.code))
    }),
  // Starts a process that leaves the group and would live for ever.
  leave: ({ mark }) => {
    const forever = `process.on('SIGTERM', () => {}); setInterval(() => 'left ${mark}', 1000)`
    spawn(process.execPath, ['-e', forever], { detached: true, stdio: 'ignore' }).unref()
    return 'left'
  },
}

const attempt = async ({ name, arguments: given }) => {
  try {
    return await tools[name](given)
  } catch (error) {
    return error.code
  }
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  const serverInfo = { name: 'probing', version: '1' }
  const result =
    method === 'initialize'
      ? { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }
      : { content: [{ type: 'text', text: JSON.stringify(await attempt(params)) }] }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
})
