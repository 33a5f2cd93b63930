import { createServer } from 'node:net'
import type { Tell } from '../finding.ts'

/** Whether a fixed callback port is free; a free one is chosen where none is fixed. */
export async function checkPort(port: number | undefined, tell: Tell): Promise<void> {
  if (port === undefined) return
  const isFree = await tryPort(port)
  tell({
    group: 'this machine',
    check: 'callback port',
    outcome: isFree ? 'good' : 'bad',
    found: `${port} is ${isFree ? 'free' : 'taken by another program'}`,
    ...(!isFree && {
      fix: `end the program that listens on ${port}, or register and name another --callback-port`,
    }),
  })
}

function tryPort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
