import { Refusal } from '@warder/protocol'
import { type Explanation, explainFailure } from './explain-failure.ts'

/** What a refusal of discovery means for the person who asks, by the beginning of its reason. */
const meanings: readonly (readonly [string, string, string])[] = [
  [
    'resource-metadata.',
    'its protected resource metadata cannot be used',
    'tell its operator; if you know the metadata of its authorization server, name it by --metadata-url',
  ],
  [
    'server-metadata.issuer',
    'the metadata of its authorization server names another issuer, so none of it may be used',
    'tell its operator: issuer must be exactly what the MCP server names',
  ],
  [
    'server-metadata.',
    'the metadata of its authorization server cannot be used',
    'tell its operator; if you know a better address, name it by --metadata-url',
  ],
  [
    'registration.other-issuer',
    'the client id that you named belongs to another authorization server',
    'check --client-id, or leave it out',
  ],
]

export function describeRefusal(error: unknown): Explanation {
  const known =
    error instanceof Refusal ? meanings.find(([start]) => error.reason.startsWith(start)) : undefined
  if (known === undefined || !(error instanceof Refusal)) return explainFailure(error)
  return { found: `${known[1]} (${error.reason})`, fix: known[2] }
}
