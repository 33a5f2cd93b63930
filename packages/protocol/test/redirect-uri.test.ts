import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkRedirectUri,
  isLoopbackRedirect,
  knownNativeSchemes,
  readRegisteredRedirectUri,
  redirectHost,
  redirectPlace,
} from '../src/index.ts'
import { reasonOf } from './reason-of.ts'

const registered = 'https://app.example/cb'
const asked = (raw: string, native = true, known = registered) =>
  reasonOf(() => checkRedirectUri(raw, [known], native))
const registering = (raw: unknown) => reasonOf(() => readRegisteredRedirectUri(raw))

describe('A02: what the client did not register', () => {
  it('A02 refuses another address and accepts its own', () => {
    expect(asked('https://evil.example/cb')).toBe('redirect.unregistered')
    expect(checkRedirectUri(registered, ['https://other.example/', registered], false)).toBe(registered)
  })

  it('A02 A11 looks at each registered address: one that is loopback is enough, one that is not is no hindrance', () => {
    const known = [registered, 'http://127.0.0.1/cb']
    expect(checkRedirectUri('http://127.0.0.1:2/cb', known, true)).toBe('http://127.0.0.1:2/cb')
    expect(asked('http://127.0.0.1:2/cb')).toBe('redirect.unregistered')
  })
})

describe('A04, A09: near matches', () => {
  it.each([
    'https://app.example/cb/extra',
    'https://app.example/x/../cb',
    'https://app.example/./cb',
    'https://app.example/%2e%2e/cb',
    'https://app.example/cb?x=1',
    'https://app.example/cb/',
    'https://app.example/cb;x',
    'https://app.example/cb?',
    'https://app.example//cb',
    'https://app.example/c%62',
    'https://app.example/c',
    'https://app.example/cb#f',
    'https://app.example/cb ',
  ])('A04 A09 refuses %s', (raw) => {
    expect(asked(raw)).toBe('redirect.unregistered')
  })

  it('A04 refuses a URI without the registered query', () => {
    expect(asked('https://app.example/cb', true, 'https://app.example/cb?tenant=1')).toBe(
      'redirect.unregistered',
    )
    expect(asked('https://app.example/cb?tenant=1', true, 'https://app.example/cb?tenant=1')).toBe('accepted')
  })

  it.each([
    'https://app.example/a/../b',
    'https://app.example/./b',
    'https://app.example/%2E%2e/b',
    'https://a.example/..',
  ])('D03 A04 does not register the dot segments of %s', (raw) => {
    expect(registering(raw)).toBe('registration.redirect-uri')
  })
})

describe('A05 to A08: what parsers disagree about', () => {
  it.each([
    'https://app.example@evil.example/cb',
    'https://app.example:x@evil.example/cb',
    'https://user@app.example/cb',
    'https://evil.example\\@app.example/cb',
    'https:\\\\evil.example/cb',
    'https:/evil.example/cb',
    'https:evil.example',
    'https:///evil.example/cb',
    'https://app.example/\tcb',
    'https://app.example/cb\r\nX: y',
    'https://app.example/cb\u0000',
    ' https://app.example/cb',
    'https://app.example/cb ',
    'https://app.example/ü',
    'https://äpp.example/cb',
    'https://app.example/cb#fragment',
    'https://app.example/cb#',
    'https://app.example/%zz',
    'https://app.example/%2',
    'https://app.example:99999/cb',
    'https://app.example:/cb',
    'https://2130706433/cb',
    'https://127.1/cb',
    'https://0x7f.1/cb',
    'https://[0:0:0:0:0:0:0:1]/cb',
    'https://[::g]/cb',
    'https://',
    'https://?x',
    '//app.example/cb',
    '/cb',
    'app.example/cb',
    '',
  ])('A05 A06 A08 A12 D03 refuses %j at registration and at authorize', (raw) => {
    expect(registering(raw)).toBe('registration.redirect-uri')
    expect(asked(raw)).toBe('redirect.unregistered')
  })

  it.each([
    'HTTPS://app.example/cb',
    'https://APP.example/cb',
    'https://app.example:443/cb',
    'https://app.example./cb',
  ])('A07 refuses %s, another spelling of what was registered', (raw) => {
    expect(asked(raw)).toBe('redirect.unregistered')
  })

  it('A07 does not take an IDN for its punycode', () => {
    expect(asked('https://bücher.example/cb', true, 'https://xn--bcher-kva.example/cb')).toBe(
      'redirect.unregistered',
    )
    expect(registering('https://xn--bcher-kva.example/cb')).toBe('accepted')
  })
})

describe('A10: schemes', () => {
  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' java\tscript:alert(1)',
    'javascript://app.example/%0aalert(1)',
    'data:text/html,x',
    'data:/text',
    'vbscript:x',
    'blob:https://app.example/1',
    'file:///etc/passwd',
    'about:blank',
    'about:/blank',
    'view-source:https://app.example/',
    'intent://x#Intent;end',
    'intent://x',
    'unknown://cb',
    'ftp://app.example/cb',
    'ws://app.example/cb',
    'cursor:opaque',
    'com.example.app:opaque',
    'com.example.app://user@host/cb',
    'cursor://a/../b',
    '.example:/cb',
    'com..example:/cb',
    'com.example.:/cb',
    'com.example:/cb%2',
    'com.example:/cb%zz',
    'x-apple.systempreferences:/cb',
    'x.example:/cb',
  ])('A10 D03 refuses %j at registration and at authorize', (raw) => {
    expect(registering(raw)).toBe('registration.redirect-uri')
    expect(asked(raw)).toBe('redirect.unregistered')
  })

  it.each([
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'vscode://vscode.github-authentication/did-authenticate',
    'com.example.app:/oauth/callback',
    'com.example.App://callback',
    'com.example:/cb%2F',
    'https://app.example/a./.b/..c/d..',
    'https://claude.ai/api/mcp/auth_callback',
    'https://vscode.dev/redirect',
    'https://localhost:8443/cb',
  ])('A10 registers %s and accepts it when asked', (raw) => {
    expect(readRegisteredRedirectUri(raw)).toBe(raw)
    expect(asked(raw, false, raw)).toBe('accepted')
  })

  it('A10 takes no other scheme', () => {
    expect(registering('acme://cb')).toBe('registration.redirect-uri')
    expect(knownNativeSchemes).not.toContain('javascript')
  })
})

describe('A11, A12, A13: loopback', () => {
  const loopback = 'http://127.0.0.1/cb'

  it.each(['http://127.0.0.1:1/cb', 'http://127.0.0.1:65535/cb', 'http://127.0.0.1:51234/cb', loopback])(
    'A11 accepts %s for a native client that registered no port',
    (raw) => {
      expect(checkRedirectUri(raw, [loopback], true)).toBe(raw)
    },
  )

  it('A11 accepts another port, or none, where one was registered', () => {
    expect(asked('http://localhost:2/cb', true, 'http://localhost:1/cb')).toBe('accepted')
    expect(asked('http://localhost/cb', true, 'http://localhost:1/cb')).toBe('accepted')
    expect(asked('http://[::1]:2/cb', true, 'http://[::1]:1/cb')).toBe('accepted')
  })

  it('A11 holds clients that are not native to the registered port', () => {
    expect(asked('http://127.0.0.1:2/cb', false, loopback)).toBe('redirect.unregistered')
    expect(asked(loopback, false, loopback)).toBe('accepted')
  })

  it.each([
    'http://127.0.0.1:1/other',
    'http://127.0.0.1:1/cb/',
    'http://127.0.0.1:1/cb?x=1',
    'http://127.0.0.1:1/cb#x',
    'https://127.0.0.1:1/cb',
    'http://localhost:1/cb',
    'http://[::1]:1/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://127.0.0.2:1/cb',
    'http://127.0.0.1:1@evil.example/cb',
    'http://127.0.0.1:0/cb',
    'http://127.0.0.1:01/cb',
    'http://127.0.0.1:65536/cb',
    'http://127.0.0.1:/cb',
    'HTTP://127.0.0.1:1/cb',
    'http://127.0.0.1:1\\/cb',
    'http://127.0.0.1:1/cb\n',
  ])('A11 refuses %j', (raw) => {
    expect(asked(raw, true, loopback)).toBe('redirect.unregistered')
  })

  it('A11 gives no free port to https', () => {
    expect(asked('https://localhost:2/cb', true, 'https://localhost:1/cb')).toBe('redirect.unregistered')
  })

  it.each([
    'http://localhost.evil.example/cb',
    'http://localhost@evil.example/cb',
    'http://localhost./cb',
    'http://LOCALHOST/cb',
    'http://127.1/cb',
    'http://0x7f000001/cb',
    'http://2130706433/cb',
    'http://0.0.0.0/cb',
    'http://127.0.0.2/cb',
    'http://[::ffff:127.0.0.1]/cb',
    'http://[0:0:0:0:0:0:0:1]/cb',
    'http://app.example/cb',
    'http://10.0.0.1/cb',
  ])('A12 A13 D03 refuses %s', (raw) => {
    expect(registering(raw)).toBe('registration.redirect-uri')
    expect(asked(raw, true, 'http://localhost/cb')).toBe('redirect.unregistered')
    expect(isLoopbackRedirect(raw)).toBe(false)
  })

  it.each([
    'http://127.0.0.1/cb',
    'http://localhost:33418',
    'http://[::1]:1/',
    'http://localhost/',
    'http://localhost?x',
  ])('A12 registers %s', (raw) => {
    expect(readRegisteredRedirectUri(raw)).toBe(raw)
    expect(isLoopbackRedirect(raw)).toBe(true)
  })
})

describe('AS-27: where the answer goes', () => {
  it.each([
    ['https://app.example:8443/cb?x', 'app.example:8443'],
    ['http://127.0.0.1:1234/cb', '127.0.0.1:1234'],
    ['http://[::1]/cb', '[::1]'],
    ['cursor://anysphere.cursor-mcp/oauth/callback', 'cursor:'],
    ['com.example.app:/cb', 'com.example.app:'],
  ])('AS-27 %s is shown as %s', (uri, shown) => {
    expect(redirectHost(uri)).toBe(shown)
  })
})

describe('E26: a website, or the computer of the user', () => {
  it.each([
    'https://localhost:8443/cb',
    'https://LOCALHOST/cb',
    'https://a.localhost/cb',
    'https://a.b.localhost:1/',
    'https://127.0.0.1/cb',
    'https://127.255.255.254:8443/cb',
    'https://[::1]/cb',
    'https://[::]:8443/cb',
    'https://[::ffff:7f00:1]/cb',
    'https://[::ffff:7fff:fffe]/cb',
    'https://0.0.0.0/cb',
    'http://localhost/cb',
    'http://127.0.0.1:33418/cb',
    'http://[::1]/cb',
  ])('E26 %s goes to the computer of the user', (uri) => {
    expect(readRegisteredRedirectUri(uri)).toBe(uri)
    expect(redirectPlace(uri)).toBe('loopback')
  })

  it.each([
    'https://app.example/cb',
    'https://app.example:8443/localhost',
    'https://localhost.app.example/cb',
    'https://notlocalhost/cb',
    'https://127.0.0.1.app.example/cb',
    'https://128.0.0.1/cb',
    'https://10.0.0.1/cb',
    'https://10.0.0.0/cb',
    'https://0.0.0.0.app.example/cb',
    'https://[::2]/cb',
    'https://[::ffff:8000:1]/cb',
    'https://[2001:db8::1]/cb',
  ])('E26 %s goes to a website', (uri) => {
    expect(readRegisteredRedirectUri(uri)).toBe(uri)
    expect(redirectPlace(uri)).toBe('web')
  })

  it.each(['cursor://localhost/cb', 'com.example.app:/cb', 'http://app.example/cb', 'no uri'])(
    'E26 %s goes to neither',
    (uri) => {
      expect(redirectPlace(uri)).toBe('scheme')
    },
  )
})

describe('D02: not a string', () => {
  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['an object', {}],
    ['a list', ['https://app.example/cb']],
    ['2 KB', `https://app.example/${'x'.repeat(2048)}`],
    ['2 KB for a program', `com.example:/${'x'.repeat(2048)}`],
  ])('D02 D23 refuses %s', (_, raw) => {
    expect(registering(raw)).toBe('registration.redirect-uri')
  })

  it.each(['https://app.example/', 'com.example:/'])(
    'D23 takes 2,048 characters that begin with %s',
    (start) => {
      expect(registering(start.padEnd(2048, 'x'))).toBe('accepted')
      expect(registering(start.padEnd(2049, 'x'))).toBe('registration.redirect-uri')
    },
  )
})

describe('properties', () => {
  const known = [
    'http://127.0.0.1:8080/cb?x=1',
    'http://localhost/cb',
    'http://[::1]/',
    'https://app.example/cb',
  ]
  const character = fc.constantFrom(...'ab1./:?#@[]%\\ \t&=-_~', 'é', '\0')

  it('AS-14 PX-15 A URI that differs in anything but the loopback port never matches', () => {
    const change = fc.record({
      of: fc.constantFrom(...known),
      at: fc.nat(),
      remove: fc.nat(3),
      insert: fc.string({ unit: character, maxLength: 4 }),
    })
    fc.assert(
      fc.property(change, ({ of, at, remove, insert }) => {
        const start = at % (of.length + 1)
        const raw = of.slice(0, start) + insert + of.slice(start + remove)
        if (raw === of || known.includes(raw)) return
        const withoutPort = (uri: string) =>
          uri.replace(/^(http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])):[0-9]+/, '$1')
        const mayMatch = known.some((uri) => withoutPort(uri) === withoutPort(raw))
        const accepted = asked(raw, true, of) === 'accepted'
        if (accepted) expect(mayMatch).toBe(true)
        expect(asked(raw, false, of)).toBe('redirect.unregistered')
      }),
      { numRuns: 5000 },
    )
  })

  it('A11 any port of a loopback redirect matches', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 1, max: 65_535 }), (one, other) => {
        expect(asked(`http://localhost:${one}/cb`, true, `http://localhost:${other}/cb`)).toBe('accepted')
      }),
    )
  })

  it('A06 what registration accepts means the same host to a URL parser', () => {
    const near = fc.array(
      fc.constantFrom(
        'https://',
        'http://',
        'localhost',
        '127.0.0.1',
        'a.example',
        '@',
        ':',
        '80',
        '/',
        '\\',
        '?',
        '#',
        '%2e',
        '.',
        '[',
        ']',
        '\t',
        'com.x.y:',
      ),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(near, (pieces) => {
        const raw = pieces.join('')
        if (registering(raw) !== 'accepted' || !/^https?:/.test(raw)) return
        const url = new URL(raw)
        expect(url.username + url.password + url.hash).toBe('')
        const defaultPort = url.protocol === 'https:' ? ':443' : ':80'
        const shown = redirectHost(raw)
        expect(shown.endsWith(defaultPort) ? shown.slice(0, -defaultPort.length) : shown).toBe(url.host)
      }),
      { numRuns: 10_000 },
    )
  })
})
