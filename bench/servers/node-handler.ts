import { createServer } from 'node:http'
import { protectNode } from '@warder/guard'
import { makeBenchGuard } from './bench-guard.ts'
import { answerCall, answerUnguarded } from './node-answer.ts'

// A handler of node:http: `bare`, where it reads its body itself, `bare 20`, where it works for 20 µs besides, or with the guard.
const [kind, port, issuer, jwks] = process.argv.slice(2) as [string, string, string, string]

const [name, busyFor] = kind.split(' ')
const work = busyFor === undefined ? undefined : Number(busyFor)
const guard = makeBenchGuard(`http://127.0.0.1:${port}/mcp`, issuer, jwks)
const guarded = protectNode(guard, (request, response) => answerCall(response, request.body))
createServer(
  name === 'bare' ? (request, response) => answerUnguarded(request, response, work) : guarded,
).listen(Number(port), '127.0.0.1', () => console.log('{}'))
