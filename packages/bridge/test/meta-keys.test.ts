import * as sdk from '@modelcontextprotocol/client'
import * as protocol from '@warder/protocol'
import { expect, test } from 'vitest'

test('the names in _meta are those of the SDK', () => {
  const ours = Object.entries(protocol).filter(([name]) => name.endsWith('_META_KEY'))
  expect(ours).toHaveLength(6)
  expect(sdk).toMatchObject(Object.fromEntries(ours))
})
