// supergateway as its README starts it for clients over streamable HTTP with sessions.
const [port, command] = process.argv.slice(2)
const entry = new URL('node_modules/supergateway/dist/index.js', import.meta.url)
const options = ['--outputTransport', 'streamableHttp', '--stateful', '--port', port, '--logLevel', 'none']
process.argv = [process.execPath, entry.pathname, '--stdio', command, ...options]
console.log('{}')
await import(entry.href)
