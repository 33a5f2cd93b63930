// mcp-proxy as its README starts it; without authentication, as it does by default.
const [port, ...command] = process.argv.slice(2)
const entry = new URL('node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs', import.meta.url)
process.argv = [
  process.execPath,
  entry.pathname,
  '--host',
  '127.0.0.1',
  '--port',
  port,
  '--server',
  'stream',
  '--',
  ...command,
]
console.log('{}')
await import(entry.href)
