import { createServer } from 'node:http'
import { answerAsServer } from '../faults/counting-upstream.ts'

/** The HTTP server of a soak, as a process of its own, so that it can be held and killed: tells its parent of each call. */
const [port] = process.argv.slice(2)
const server = createServer((req, res) => {
  const traceparent = req.headers['traceparent']
  answerAsServer(req, res, () => process.send?.(String(traceparent))).catch(() => res.destroy())
})
server.listen(Number(port), '127.0.0.1', () => process.send?.('listening'))
process.on('disconnect', () => process.exit())
