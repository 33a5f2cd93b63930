import * as sdk from '@modelcontextprotocol/client'
import { expect, test } from 'vitest'
import * as ours from '../src/meta-keys.ts'

test('the names in _meta are those of the SDK', () => {
  expect(sdk).toMatchObject(ours)
})
