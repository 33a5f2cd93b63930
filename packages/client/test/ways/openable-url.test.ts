import { readOpenableUrl } from '@warder/client'
import { isLoopbackHost } from '@warder/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

describe('an address that may be opened in a browser', () => {
  test.each([
    'https://as.example/authorize?client_id=https%3A%2F%2Fc.example%2F&state=x',
    'https://as.example',
    'https://AS.example:443/authorize',
    'https://as.example:8443/a/b;c=d?e=f&g=(h)',
    'https://[2001:db8::1]/authorize',
    'http://localhost:8765/authorize?state=x',
    'http://127.0.0.1:80/authorize',
    'http://[::1]:8765/authorize',
    'http://127.0.0.2:1/authorize',
    'http://app.localhost:8765/authorize',
    "https://as.example/a?b=$(calc)&c=;calc'&d=-",
  ])('CL-69 %s', (url) => {
    expect(readOpenableUrl(url)).toBe(url)
  })

  test.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,hello',
    'file:///etc/passwd',
    'vbscript:x',
    'ms-settings:privacy',
    'view-source:https://as.example/',
    'blob:https://as.example/x',
    'ftp://as.example/',
    'com.example.app:/authorize',
    '//as.example/authorize',
    '/authorize',
    '',
    'http://as.example/authorize',
    'http://localhost.example/authorize',
    'http://127.0.0.1.example/authorize',
    'http://127.1/authorize',
    'http://128.0.0.1:1/authorize',
    'http://0.0.0.0/authorize',
    'http://[::]/authorize',
    'https://2130706433/authorize',
    'https://0x7f.1/authorize',
    'https://user@as.example/',
    'https://as.example@evil.example/',
    'https://as.example\\@evil.example/',
    'https://as.example/#fragment',
    'https://as.example:99999/',
  ])('Q01 CL-69 CL-70 not %s', (url) => {
    expect(() => readOpenableUrl(url)).toThrow(expect.objectContaining({ reason: 'sign-in.url' }))
  })

  test.each([
    ['a blank', 'https://as.example/a b'],
    ['a leading blank', ' https://as.example/'],
    ['a line end', 'https://as.example/\nhttps://evil.example/'],
    ['a tab', 'https://as.example/\t'],
    ['a NUL', 'https://as.example/\0'],
    ['an escape sequence', 'https://as.example/\u001b[2J'],
    ['a quotation mark', 'https://as.example/"&calc&"'],
    ['a back-tick', 'https://as.example/`calc`'],
    ['a caret', 'https://as.example/^&calc'],
    ['a pipe', 'https://as.example/|calc'],
    ['braces', 'https://as.example/{calc}'],
    ['a broken percent sequence', 'https://as.example/%PATH%'],
    ['a direction mark', 'https://as.example/\u202ecod.exe'],
    ['a letter from elsewhere', 'https://аs.example/'],
    ['an option before it', '--url=https://as.example/'],
    ['100 kB', `https://as.example/${'a'.repeat(100_000)}`],
  ])('Q02 CL-72 not with %s', (_name, url) => {
    expect(() => readOpenableUrl(url)).toThrow(expect.objectContaining({ reason: 'sign-in.url' }))
  })

  test('whatever is let through is web, plain and short, and a browser goes to the host that stands there', () => {
    const piece = fc.constantFrom(
      ...[
        'http',
        'https',
        'javascript',
        ':',
        '//',
        '/',
        '@',
        '\\',
        '#',
        '?',
        'localhost',
        '127.0.0.1',
        '[::1]',
      ],
      ...['as.example', '.', '%0a', '%', '\n', '\t', ' ', '"', '80', ':443', '0x7f', '1', 'ⓔ'],
    )
    const text = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
      fc.webUrl(),
      fc.string(),
    )
    fc.assert(
      fc.property(text, (raw) => {
        let url: string
        try {
          url = readOpenableUrl(raw)
        } catch {
          return
        }
        const { protocol, hostname } = new URL(url)
        expect(url).toBe(raw)
        expect(url).toMatch(/^https?:\/\/[\x21-\x7e]+$/)
        expect(url.toLowerCase().split('/')[2]?.startsWith(hostname)).toBe(true)
        if (protocol === 'http:') expect(isLoopbackHost(hostname)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})
