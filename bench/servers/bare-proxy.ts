import { createServer } from 'node:http'
import { pipeline } from 'node:stream'
import { Pool } from 'undici'

// A reverse proxy that does nothing but pass bytes on: node:http in front, undici behind.
const [port, upstream] = process.argv.slice(2) as [string, string]

const { origin } = new URL(upstream)
const pool = new Pool(origin, { pipelining: 1 })
const hopByHop: readonly string[] = ['connection', 'keep-alive', 'transfer-encoding', 'host', 'authorization']

createServer(async (req, res) => {
  const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => !hopByHop.includes(name)))
  const {
    statusCode,
    headers: answered,
    body,
  } = await pool.request({
    path: req.url ?? '/',
    method: 'POST',
    headers,
    body: req,
  })
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...rest } = answered
  res.writeHead(statusCode, rest)
  pipeline(body, res, () => {})
}).listen(Number(port), '127.0.0.1', () => console.log('{}'))
