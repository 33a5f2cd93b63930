import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatScope, isSameResource, readResource, readScope } from '../src/index.ts'
import { reasonOf } from './reason-of.ts'

describe('A21, G27: scope', () => {
  it.each(['a"b', 'a\\b', 'a\nb', 'a\tb', 'a\u007f', 'é', 'a  b', ' a', 'a ', 'a\0'])(
    'A21 refuses %j',
    (raw) => {
      expect(reasonOf(() => readScope(raw))).toBe('scope.malformed')
    },
  )

  it('A21 refuses 10 KB and 101 items, and reads 100', () => {
    const items = (count: number) => Array.from({ length: count }, (_, at) => `s${at}`).join(' ')
    expect(reasonOf(() => readScope('x'.repeat(10_240)))).toBe('scope.malformed')
    expect(reasonOf(() => readScope('x'.repeat(4097)))).toBe('scope.malformed')
    expect(readScope('x'.repeat(4096))).toHaveLength(1)
    expect(reasonOf(() => readScope(items(500)))).toBe('scope.malformed')
    expect(reasonOf(() => readScope(items(101)))).toBe('scope.malformed')
    expect(readScope(items(100))).toHaveLength(100)
  })

  it('A21 G27 reads scopes in order, each once, and keeps case', () => {
    expect(readScope('files:read Files:Read files:read notes')).toEqual(['files:read', 'Files:Read', 'notes'])
    expect(readScope('')).toEqual([])
  })

  it('reads back what it formats', () => {
    const token = fc.stringMatching(/^[!#-[\]-~]{1,10}$/)
    fc.assert(
      fc.property(fc.uniqueArray(token, { maxLength: 50 }), (scopes) => {
        expect(readScope(formatScope([...scopes, ...scopes]))).toEqual(scopes)
      }),
    )
  })
})

describe('A23: resource', () => {
  it.each([
    '/mcp',
    'mcp',
    '',
    'urn:mcp:x',
    'https://mcp.example/mcp#f',
    'https://mcp.example/mcp#',
    'https://user@mcp.example/mcp',
    'https://u:p@mcp.example/mcp',
    'https://',
    'https:mcp.example',
    'ftp://mcp.example/mcp',
    'javascript://mcp.example/mcp',
    'https://mcp.example/a b',
    'https://mcp.example\\@evil.example/',
    'https://mcp.example/%zz',
    `https://mcp.example/${'x'.repeat(2048)}`,
  ])('A23 refuses %j', (raw) => {
    expect(reasonOf(() => readResource(raw))).toBe('resource.unknown')
  })

  it.each([
    'https://mcp.example/notes/mcp',
    'http://localhost:8765/mcp',
    'HTTPS://MCP.example',
    'https://m.example/?a=b',
  ])('A23 reads %s', (raw) => {
    expect(readResource(raw)).toBe(raw)
  })

  it.each([
    ['https://mcp.example/mcp', 'HTTPS://MCP.Example/mcp'],
    ['http://localhost:1/mcp', 'http://LOCALHOST:1/mcp'],
  ])('ALL-11 %s and %s are the same', (a, b) => {
    expect(isSameResource(a, b)).toBe(true)
  })

  it.each([
    ['https://mcp.example/mcp', 'https://mcp.example/MCP'],
    ['https://mcp.example/mcp', 'https://mcp.example/mcp/'],
    ['https://mcp.example', 'https://mcp.example/'],
    ['https://mcp.example/mcp', 'https://mcp.example:443/mcp'],
    ['https://mcp.example/mcp', 'http://mcp.example/mcp'],
    ['https://mcp.example/mcp', 'https://mcp.example/m%63p'],
    ['https://mcp.example/mcp', 'https://mcp.example/mcp?x'],
    ['https://mcp.example/mcp', 'https://mcp.example/mcp2'],
    ['https://mcp.example/mcp', 'https://x@mcp.example/mcp'],
    ['', ''],
    ['nonsense', 'nonsense'],
    ['nonsense', 'https://mcp.example/mcp'],
    ['https://mcp.example/mcp', 'nonsense'],
  ])('G12 %s and %s are not the same', (a, b) => {
    expect(isSameResource(a, b)).toBe(false)
  })
})
