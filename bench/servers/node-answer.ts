import type { IncomingMessage, ServerResponse } from 'node:http'
import { echo } from './echo.ts'

/** The answer to a call that was read. */
export function answerCall(response: ServerResponse, message: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(echo(message))
}

/** A handler of node:http that reads the call itself, and works on it for so many microseconds. */
export function answerUnguarded(request: IncomingMessage, response: ServerResponse, busyFor?: number): void {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    if (busyFor !== undefined) workFor(busyFor)
    answerCall(response, JSON.parse(Buffer.concat(parts).toString()))
  })
}

function workFor(microseconds: number): void {
  const end = performance.now() + microseconds / 1_000
  while (performance.now() < end);
}
