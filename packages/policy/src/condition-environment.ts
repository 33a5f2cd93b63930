import { Environment } from '@marcbachmann/cel-js'

/**
 * What a condition may look at, and how large it may be: `room` times as large as one that stands in a file.
 */
export function makeConditionEnvironment(room: number): Environment {
  const limits = { maxListElements: 200, maxMapEntries: 50, maxCallArguments: 3 }
  return new Environment({ limits: { ...limits, maxAstNodes: 500 * room, maxDepth: 50 * room } })
    .registerVariable('args', 'map<string, dyn>')
    .registerVariable({
      name: 'user',
      schema: { issuer: 'string', subject: 'string', names: 'list<string>', groups: 'list<string>' },
    })
    .registerVariable({ name: 'client', schema: { id: 'string', class: 'string' } })
    .registerVariable('time', 'google.protobuf.Timestamp')
}
