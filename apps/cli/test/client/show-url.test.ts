import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bareUrl, showUrl } from '../../src/client/show-url.ts'

const variable = (name: string): string => `\${${name}}`
const key = 'NzI4ZjM0YmMtOTg3Ny00ZTEyLWE1YzItMWQ5ZjM0YmM5ODc3LTRlMTI'

describe('Q16 a URL for eyes', () => {
  test.each([
    ['https://mcp.example.com:8443/mcp', 'https://mcp.example.com:8443/mcp'],
    ['https://u:p@ss@h.example/x', 'https://[hidden]@h.example/x'],
    ['https://token@h.example/x', 'https://[hidden]@h.example/x'],
    ['https:\\\\u:canary@h.example\\x', 'https:\\\\[hidden]@h.example\\x'],
    ['https:/u:canary@h.example/x', 'https:/[hidden]@h.example/x'],
    [' https://u:can\tary@h.example/x', 'https://[hidden]@h.example/x'],
    ['postgres://admin:canary@db/prod', 'postgres://[hidden]@db/prod'],
    ['postgres://admin\\x:canary@db/prod', 'postgres://[hidden]@db/prod'],
    ['https://h/mcp?sk_live_abc', 'https://h/mcp?[hidden]'],
    ['https://h/mcp?a=1&b=&c', 'https://h/mcp?a=[hidden]&b=&[hidden]'],
    [`https://h/mcp?${key}=1`, 'https://h/mcp?[hidden]'],
    ['https://h/mcp?key=canary?more&x=a@b#frag', 'https://h/mcp?key=[hidden]&x=[hidden]#[hidden]'],
    ['https://h/mcp#?a=canary', 'https://h/mcp#[hidden]'],
    [`https://h/api/mcp/s/${key}/mcp`, 'https://h/api/mcp/s/[hidden]/mcp'],
    [`https://h/s/%4ez${key.slice(2)}/%ff`, 'https://h/s/[hidden]/%ff'],
    [`https://h/s\\${key}\\mcp`, 'https://h/s\\[hidden]\\mcp'],
    ['mcp.example.com/mcp', 'mcp.example.com/mcp'],
    ['https://h/a@b', 'https://h/a@b'],
  ])('%s', (url, shown) => {
    expect(showUrl(url)).toBe(shown)
  })

  test('its variables may be seen, wherever they stand; what they are when nobody has set them only where it is no secret', () => {
    for (const plain of [
      `https://${variable('HOST')}/mcp?key=${variable('KEY')}&b=${variable('env:B')}`,
      `${variable('BASE:-https://mcp.example.com:8443')}/mcp`,
      `https://h:${variable('PORT:-8443')}/${variable('input:team')}`,
    ])
      expect(showUrl(plain)).toBe(plain)
    expect(showUrl(`https://h/mcp?key=${variable('KEY:-canary')}`)).toBe('https://h/mcp?key=[hidden]')
    expect(showUrl(`https://h/${variable('TOKEN:-canary')}/mcp`)).toBe(
      `https://h/${variable('TOKEN:-[hidden]')}/mcp`,
    )
    expect(showUrl(`${variable('BASE:-https://u:canary@h')}/mcp`)).toBe(
      `${variable('BASE:-https://[hidden]@h')}/mcp`,
    )
    expect(showUrl(`https://${variable('USER')}:${variable('PASS')}@h/`)).toBe('https://[hidden]@h/')
    expect(showUrl(`${variable('SCHEME:-https')}://u:canary@h/`)).toBe(
      `${variable('SCHEME:-https')}://[hidden]@h/`,
    )
    expect(showUrl(`https://${variable('u:canary@h/x')}`)).not.toContain('canary')
  })

  test('of what a URL parser reads, host and path are left, and nothing else', () => {
    const piece = fc.string({ unit: fc.constantFrom(...'aZ9@:/\\?#.%[]=&;-_~'), maxLength: 12 })
    const start = fc.constantFrom('https://', 'http:/', 'wss:\\\\', 'https:///', 'http:')
    fc.assert(
      fc.property(start, piece, piece, (scheme, user, rest) => {
        const parsed = URL.parse(`${scheme}${user}@h.example/${rest}`)
        if (parsed === null) return
        const bare = URL.parse(bareUrl(`${scheme}${user}@h.example/${rest}`))
        expect([bare?.host, bare?.pathname]).toEqual([parsed.host, parsed.pathname])
        expect([bare?.username, bare?.password, bare?.search, bare?.hash]).toEqual(['', '', '', ''])
      }),
      { numRuns: 2000 },
    )
  })

  test('for somebody else nothing but scheme, host and path', () => {
    expect(bareUrl(`https://u:p@ss@h.example:1/s/${key}/mcp?sk_live_abc#x`)).toBe(
      'https://h.example:1/s/…/mcp',
    )
    expect(bareUrl('https://h.example/mcp')).toBe('https://h.example/mcp')
    expect(bareUrl(`${variable('SCHEME')}://u:p@h.example/mcp`)).toBe(`${variable('SCHEME')}://h.example/mcp`)
  })
})
