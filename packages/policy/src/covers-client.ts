import { compilePattern } from './pattern.ts'
import { type ClientIdentity, clientClasses } from './principal.ts'

const classes: ReadonlySet<string> = new Set(clientClasses)

/**
 * Which clients the `may` of a row is for (design decision 7). Without `client`: all but self-registered ones. By name only
 * clients whose identity is proven, and a pattern only those with a document on a proven host.
 */
export function allowsClient(client: string | undefined): (client: ClientIdentity) => boolean {
  if (client === undefined) return (asker) => asker.class !== 'self-registered'
  if (client === 'any') return () => true
  if (classes.has(client)) return (asker) => asker.class === client
  const pattern = compilePattern(client)
  if (!pattern.isExact) return (asker) => asker.class === 'document' && pattern.matches(asker.id)
  return (asker) => asker.id === client && (asker.class === 'document' || asker.class === 'pre-registered')
}

/**
 * Which clients the `never` of a row is for: every client that could be meant. Without `client` that is every one, since a
 * prohibition that spares self-registered clients is dodged by registering; a name also hits a client that only claims it.
 */
export function deniesClient(client: string | undefined): (client: ClientIdentity) => boolean {
  if (client === undefined || client === 'any') return () => true
  if (classes.has(client)) return (asker) => asker.class === client
  const pattern = compilePattern(client)
  return (asker) => pattern.matches(asker.id)
}
