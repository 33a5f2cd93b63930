import { describe, expect, test } from 'vitest'
import { isLoopbackHost } from '../src/index.ts'

describe('CL-65 this computer, by the host as it is written', () => {
  test.each([
    'localhost',
    'LocalHost',
    'app.localhost',
    '127.0.0.1',
    '127.0.0.9',
    '127.10.99.100',
    '127.199.200.249',
    '127.250.255.0',
    '::1',
    '[::1]',
  ])('%s is', (host) => {
    expect(isLoopbackHost(host)).toBe(true)
  })

  // Some readers take the other spellings for 127.0.0.1 and some for another address.
  test.each([
    'localhost.',
    'localhost.example',
    '127.0.0.256',
    '127.0.0.260',
    '127.0.0.300',
    '127.0.0.1000',
    '127.0.0.01',
    '127.00.0.1',
    '127.0.0.a',
    '127.0.0.1a',
    '127.0.0.2a',
    '127.0.0.1aa',
    '127.0.0.29a',
    '127.0.0',
    '127.1',
    '127.0.0.1.1',
    '1.127.0.0.1',
    '128.0.0.1',
    '2130706433',
    '::2',
    '1::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '',
  ])('%j is not', (host) => {
    expect(isLoopbackHost(host)).toBe(false)
  })
})
