import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  accountPage,
  type ClientView,
  type ConsentView,
  consentPage,
  donePage,
  errorPage,
  loginPage,
  ownerPage,
  pageStyleHash,
  type RedirectView,
  type ScopeView,
} from '../src/pages/index.ts'

/** One view of each page, every text in it made by `text`. Two calls with texts of the same kind have the same shape. */
function pagesOf(text: () => string, host: string): Record<string, string> {
  const client: ClientView = { name: text(), class: 'document', id: text(), documentHost: host }
  const server = { title: text(), resource: text() }
  const tools = Array.from({ length: 8 }, (_, index) => ({ name: text(), risky: index % 3 === 0 }))
  const scope = (basic: boolean, highRisk: boolean): ScopeView => ({
    name: text(),
    title: text(),
    description: text(),
    basic,
    highRisk,
    tools,
    includes: [text(), text()],
  })
  const consent: ConsentView = {
    action: text(),
    formToken: text(),
    client,
    redirect: { kind: 'web', host, uri: text() },
    server,
    signedInAs: text(),
    scopes: [scope(true, false), scope(false, false), scope(false, true)],
    notOffered: [text(), text()],
    renewMinutes: 10,
    idleDays: 30,
    error: text(),
  }
  const error = { says: text(), fields: ['email', 'password'] as const }
  return {
    login: loginPage({
      action: text(),
      formToken: text(),
      request: { client, server },
      email: text(),
      error,
    }),
    consent: consentPage(consent),
    'consent, self-registered, scheme': consentPage({
      ...consent,
      client: { ...client, class: 'self-registered' },
      redirect: { kind: 'scheme', host: text(), uri: text() },
    }),
    'consent, local, loopback': consentPage({
      ...consent,
      client: { ...client, class: 'local' },
      redirect: { kind: 'loopback', host, uri: text() },
    }),
    'consent with other servers': consentPage({
      ...consent,
      otherServers: [{ ...server, scopes: [{ title: text() }, { title: text() }] }],
    }),
    account: accountPage({
      path: text(),
      formToken: text(),
      signedInAs: text(),
      grants: [
        {
          id: text(),
          client,
          server,
          since: 0,
          lastRefreshed: 1,
          scopes: consent.scopes.map((each, index) => ({ ...each, name: `scope:${index}` })),
          on: ['scope:0', 'scope:1'],
          gone: [text()],
        },
        { id: text(), client, server, since: 0, scopes: [], on: [], gone: [] },
      ],
      sessions: [
        { id: text(), signedInAt: 0, expiresAt: 1, current: true },
        { id: text(), signedInAt: 0, expiresAt: 1, current: false },
      ],
      done: 'saved',
    }),
    'login for the account page': loginPage({ action: text(), formToken: text() }),
    owner: ownerPage({
      action: text(),
      formToken: text(),
      servers: [server],
      passwordLength: 12,
      email: text(),
      error,
    }),
    error: errorPage({ title: text(), says: text(), url: text(), next: text(), reference: text() }),
    done: donePage({ title: text(), says: text(), next: text() }),
  }
}

interface Tag {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
}

/** The tags of a page under a grammar much stricter than HTML; anything outside of it fails the test. */
function tagsOf(page: string): Tag[] {
  const withoutStyle = page.replace(/<style>[^<]*<\/style>/, '')
  const tag = /<(!doctype html|\/?[a-z][a-z0-9]*)((?: [a-zA-Z-]+(?:="[^"<>]*")?)*)\/?>/g
  expect(withoutStyle.replace(tag, ''), 'what is no tag has no markup left').not.toMatch(/[<>"']/)
  return [...withoutStyle.matchAll(tag)].map(([, name = '', attributes = '']) => ({
    name,
    attributes: new Map(
      [...attributes.matchAll(/ ([a-zA-Z-]+)(?:="([^"]*)")?/g)].map(([, key = '', value = '']) => [
        key,
        value,
      ]),
    ),
  }))
}

const shapeOf = (page: string): string[] =>
  tagsOf(page).map((tag) => `${tag.name} ${[...tag.attributes.keys()].join(' ')}`)

/** The text of a page as a person reads it. */
function textOf(page: string): string {
  return page
    .replace(/<style>[^<]*<\/style>/, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
}

const server = { title: 'Notes', resource: 'https://mcp.example.com/notes/mcp' }
const proven: ClientView = {
  name: 'Claude',
  class: 'document',
  id: 'https://claude.ai/oauth/client',
  documentHost: 'claude.ai',
}
const web: RedirectView = { kind: 'web', host: 'claude.ai', uri: 'https://claude.ai/api/callback' }
const scopeView = (name: string, rest: Partial<ScopeView> = {}): ScopeView => ({
  name,
  title: `Title of ${name}`,
  basic: false,
  highRisk: false,
  tools: [],
  includes: [],
  ...rest,
})
const view: ConsentView = {
  action: '/authorize/t1/consent',
  formToken: 'form-token-1',
  client: proven,
  redirect: web,
  server,
  signedInAs: 'owner@example.org',
  scopes: [
    scopeView('notes:read', { basic: true, tools: [{ name: 'search_notes', risky: false }] }),
    scopeView('notes:write', {
      description: 'Creates and changes notes.',
      includes: ['Title of notes:read'],
    }),
    scopeView('notes:admin', { highRisk: true, tools: [{ name: 'drop_all', risky: true }] }),
  ],
  notOffered: [],
  renewMinutes: 10,
  idleDays: 30,
}

/** The switches of a consent page: scope → on. */
function switchesOf(page: string): Record<string, boolean> {
  const boxes = tagsOf(page).filter((tag) => tag.attributes.get('type') === 'checkbox')
  expect(boxes.every((tag) => tag.attributes.get('name') === 'scope')).toBe(true)
  return Object.fromEntries(
    boxes.map((tag) => [tag.attributes.get('value') ?? '', tag.attributes.has('checked')]),
  )
}

/** What stands in the list entry of one scope title. */
function entryOf(page: string, title: string): string {
  const entry = page.split('<li class="scope">').find((part) => part.includes(`<bdi>${title}</bdi>`))
  return textOf(`<li>${entry ?? ''}`)
}

describe('F25 the consent page shows', () => {
  test('PX-06 PX-08 F25 client, proven host, redirect host and URI, server, resource, user, scopes in words, tools, expiry', () => {
    const text = textOf(consentPage(view))
    for (const part of [
      'Allow Claude to use the server Notes?',
      'https://claude.ai/oauth/client',
      'host is proven',
      'https://claude.ai/api/callback',
      'https://mcp.example.com/notes/mcp',
      'owner@example.org',
      'Title of notes:read',
      'search_notes',
      'Title of notes:write',
      'Creates and changes notes.',
      'Includes: Title of notes:read.',
      'Title of notes:admin',
      'until you revoke it',
      '30 days',
      'every 10 minutes',
    ]) {
      expect(text).toContain(part)
    }
    expect(text).not.toContain('unverified')
  })

  test('F25 AS-27 the redirect host stands out, also when it is another than the host of the client', () => {
    const page = consentPage({ ...view, redirect: { ...web, host: 'other.example' } })
    expect(page).toMatch(/<strong><bdi class="host" dir="ltr">other\.example<\/bdi><\/strong>/)
  })

  test.each([
    ['self-registered', 'registered itself. Nobody has checked'],
    ['local', 'Any program on it could claim to be this'],
  ] as const)(
    'F25 a client of class %s is marked as unverified, in words, on both pages',
    (kind, sentence) => {
      const client: ClientView = { name: 'Claude', class: kind, id: 'wcl_1' }
      const consent = textOf(consentPage({ ...view, client }))
      expect(consent).toContain('unverified')
      expect(consent).toContain(sentence)
      expect(textOf(loginPage({ action: '/a', formToken: 't', request: { client, server } }))).toContain(
        'unverified',
      )
    },
  )

  test('F25 the host that a local client refers to is a claim, not a proof', () => {
    const text = textOf(consentPage({ ...view, client: { ...proven, class: 'local' } }))
    expect(text).toContain('says it comes from claude.ai. Any program on it could claim to be this.')
    expect(text).toContain('unverified')
    expect(text).not.toContain('proven')
  })

  test('F25 a pre-registered client is known here', () => {
    const text = textOf(consentPage({ ...view, client: { name: 'CI', class: 'pre-registered', id: 'ci' } }))
    expect(text).toContain('known here')
    expect(text).not.toContain('unverified')
  })

  test.each([
    [
      'loopback',
      'localhost:4711',
      'localhost:4711, a program on this computer',
      'Whichever program listens there',
    ],
    ['scheme', 'cursor', 'the program that opens cursor: links', 'Any program on this device can claim'],
  ] as const)(
    'F25 a %s redirect is named and warned about, a web one is not',
    (kind, host, words, warning) => {
      const text = textOf(consentPage({ ...view, redirect: { kind, host, uri: 'x:/cb' } }))
      expect(text).toContain(words)
      expect(text).toContain(warning)
      expect(textOf(consentPage(view))).not.toMatch(/Whichever program|Any program/)
    },
  )

  test('F25 scopes that the access rules do not offer are named, once and without a switch', () => {
    const page = consentPage({ ...view, notOffered: ['notes:delete', 'notes:share'] })
    expect(textOf(page)).toContain('access rules do not allow it: notes:delete, notes:share.')
    expect(Object.keys(switchesOf(page))).toEqual(['notes:write', 'notes:admin'])
    expect(textOf(consentPage(view))).not.toContain('Also asked for')
  })

  test('F25 risk is told in words, and a risky tool is never among those that open on demand', () => {
    const tools = Array.from({ length: 40 }, (_, index) => ({ name: `tool_${index}`, risky: index === 39 }))
    const page = consentPage({ ...view, scopes: [scopeView('many', { tools })] })
    const [shown = '', hidden = ''] = page.split('<details>')
    expect(textOf(shown)).toContain('tool_39 risky')
    expect(textOf(hidden)).toContain('34 more tools')
    for (const tool of tools) expect(page).toContain(`<bdi>${tool.name}</bdi>`)
    expect(entryOf(consentPage(view), 'Title of notes:admin')).toContain('high risk')
    expect(entryOf(consentPage(view), 'Title of notes:write')).not.toContain('risk')
  })

  test('F25 when more than the shown tools are risky, the summary says how many more', () => {
    const tools = Array.from({ length: 9 }, (_, index) => ({ name: `tool_${index}`, risky: true }))
    const text = textOf(consentPage({ ...view, scopes: [scopeView('many', { tools })] }))
    expect(text).toContain('3 more tools, 3 of them risky')
  })
})

describe('the switches', () => {
  test('F25 are on, off for high risk, and absent for basic scopes', () => {
    expect(switchesOf(consentPage(view))).toEqual({ 'notes:write': true, 'notes:admin': false })
    expect(textOf(consentPage(view))).toMatch(/Always included.*Title of notes:read.*What else it may do/)
  })

  test('F11 a wider consent keeps what was given, marks what is new, and leaves off what was declined', () => {
    const page = consentPage({
      ...view,
      scopes: [
        scopeView('read', { basic: true, earlier: 'granted' }),
        scopeView('given', { highRisk: true, earlier: 'granted' }),
        scopeView('declined', { earlier: 'declined' }),
        scopeView('added'),
        scopeView('dangerous', { highRisk: true }),
      ],
    })
    expect(switchesOf(page)).toEqual({ given: true, declined: false, added: true, dangerous: false })
    expect(entryOf(page, 'Title of added')).toMatch(/Title of added new/)
    expect(entryOf(page, 'Title of dangerous')).toMatch(/high risk new/)
    expect(entryOf(page, 'Title of given')).toMatch(/allowed already/)
    expect(entryOf(page, 'Title of given')).not.toMatch(/ new/)
    expect(entryOf(page, 'Title of declined')).toMatch(/declined before/)
    expect(textOf(page)).toContain('to do more with the server')
    expect(textOf(consentPage(view))).not.toMatch(/ new |declined before|allowed already|do more/)
  })

  test('F01 a form that comes back with an error keeps the choice, and says why in an alert', () => {
    const page = consentPage({ ...view, chosen: ['notes:admin'], error: 'This form is out of date.' })
    expect(switchesOf(page)).toEqual({ 'notes:write': false, 'notes:admin': true })
    expect(page).toMatch(/role="alert".*This form is out of date\./)
    expect(page).toContain('<title>Error: ')
    expect(consentPage(view)).not.toContain('role="alert"')
  })
})

describe('the decision', () => {
  test('F25 allow and deny are buttons of one form; the Enter key presses the first, which is deny', () => {
    const tags = tagsOf(consentPage(view))
    const buttons = tags
      .filter((tag) => tag.name === 'button')
      .map((tag) => Object.fromEntries(tag.attributes))
    expect(buttons).toEqual([
      { class: 'deny', type: 'submit', name: 'decision', value: 'deny' },
      { class: 'allow', type: 'submit', name: 'decision', value: 'allow' },
    ])
    const forms = tags.filter((tag) => tag.name === 'form').map((tag) => Object.fromEntries(tag.attributes))
    expect(forms).toEqual([{ method: 'post', action: '/authorize/t1/consent' }])
  })

  test('F01 every form carries its token, and a scope goes back under its exact name', () => {
    const odd = 'a"b<c>&\u202ed'
    const page = consentPage({ ...view, formToken: odd, scopes: [scopeView(odd)] })
    const escaped = 'a&quot;b&lt;c&gt;&amp;\u202ed'
    expect(page).toContain(`<input type="hidden" name="form_token" value="${escaped}">`)
    expect(Object.keys(switchesOf(page))).toEqual([escaped])
    for (const other of [
      loginPage({ action: '/a', formToken: 't-1', request: { client: proven, server } }),
      ownerPage({ action: '/a', formToken: 't-1', servers: [], passwordLength: 12 }),
    ]) {
      expect(other).toContain('<input type="hidden" name="form_token" value="t-1">')
    }
  })
})

describe('the other pages', () => {
  test('the sign-in page says who asks for what, and lets a password manager help', () => {
    const page = loginPage({ action: '/a', formToken: 't', request: { client: proven, server } })
    expect(textOf(page)).toContain('Claude claude.ai wants to use the MCP server Notes.')
    expect(textOf(page)).toContain('https://mcp.example.com/notes/mcp')
    expect(page).toContain('autocomplete="username"')
    expect(page).toContain('autocomplete="current-password"')
    expect(page).not.toContain('role="alert"')
  })

  test('F17 a refused sign-in marks both fields, keeps the e-mail, and never the password', () => {
    const error = { says: 'E-mail or password is not right.', fields: ['email', 'password'] as const }
    const page = loginPage({
      action: '/a',
      formToken: 't',
      request: { client: proven, server },
      email: 'a@b.c',
      error,
    })
    const fields = tagsOf(page).filter((tag) => tag.attributes.has('aria-invalid'))
    expect(fields.map((tag) => tag.attributes.get('id'))).toEqual(['email', 'password'])
    for (const field of fields) expect(field.attributes.get('aria-describedby')).toBe('form-error')
    expect(fields[0]?.attributes.get('value')).toBe('a@b.c')
    expect(fields[1]?.attributes.has('value')).toBe(false)
    expect(page).toMatch(/role="alert" id="form-error"/)
  })

  test('F18 a throttled sign-in says so without blaming a field', () => {
    const error = { says: 'Too many attempts.', fields: [] }
    const page = loginPage({ action: '/a', formToken: 't', request: { client: proven, server }, error })
    expect(textOf(page)).toContain('Too many attempts.')
    expect(tagsOf(page).some((tag) => tag.attributes.has('aria-invalid'))).toBe(false)
  })

  test('the owner page asks for the password twice and names the servers', () => {
    const page = ownerPage({ action: '/owner/x', formToken: 't', servers: [server], passwordLength: 12 })
    const fields = tagsOf(page).filter((tag) => tag.attributes.get('autocomplete') === 'new-password')
    expect(fields.map((tag) => tag.attributes.get('name'))).toEqual(['password', 'password_again'])
    expect(textOf(page)).toContain('At least 12 characters')
    expect(textOf(page)).toContain('Notes https://mcp.example.com/notes/mcp')
  })

  test('F22 the error page shows an address as text, says what to do, and leads nowhere', () => {
    const page = errorPage({
      title: 'This request cannot be answered',
      says: 'Nothing was sent there.',
      url: 'https://evil.example/cb',
      withheldFrom: 'evil\u202e.example"><a href=x>',
      next: 'Go back to the application.',
      reference: 'ref-1',
    })
    const text = textOf(page)
    expect(text).toContain('would have gone to evil.example"><a href=x>. Nothing')
    for (const part of ['Nothing was sent there.', 'https://evil.example/cb', 'Go back to the', 'ref-1']) {
      expect(text).toContain(part)
    }
    const tags = tagsOf(page)
    expect(tags.filter((tag) => ['a', 'form', 'button', 'base', 'link'].includes(tag.name))).toEqual([])
    expect(tags.some((tag) => tag.attributes.has('http-equiv'))).toBe(false)
  })

  test('the last page says what to do now', () => {
    const text = textOf(donePage({ title: 'You are the owner', says: 'Set up.', next: 'Close this window.' }))
    expect(text).toMatch(/You are the owner Set up\. What to do now Close this window\./)
  })
})

describe('every page', () => {
  const pages = Object.entries(pagesOf(() => 'plain text', 'host.example'))

  test.each(pages)('%s: one h1, landmarks, language, title, every field labelled, ids unique', (_, page) => {
    const tags = tagsOf(page)
    const names = tags.map((tag) => tag.name)
    for (const once of ['h1', 'main', 'header', 'footer', 'title']) {
      expect(names.filter((name) => name === once)).toHaveLength(1)
    }
    expect(tags.find((tag) => tag.name === 'html')?.attributes.get('lang')).toBe('en')
    expect(page).toMatch(/<title>[^<]{4,} – Warder<\/title>/)
    const ids = tags.flatMap((tag) => tag.attributes.get('id') ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    const labelled = tags.filter((tag) => tag.name === 'label').map((tag) => tag.attributes.get('for'))
    const inputs = tags.filter((tag) => tag.name === 'input' && tag.attributes.get('type') !== 'hidden')
    expect(inputs.map((tag) => tag.attributes.get('id'))).toEqual(labelled)
    for (const tag of tags) {
      const pointers = `${tag.attributes.get('aria-describedby') ?? ''} ${tag.attributes.get('aria-labelledby') ?? ''}`
      for (const id of pointers.split(' ').filter(Boolean)) expect(ids).toContain(id)
    }
  })

  test.each(pages)(
    'F03 %s: no script, nothing from elsewhere, no inline style but the hashed one, no pre-set focus',
    (_, page) => {
      for (const tag of tagsOf(page)) {
        expect(['script', 'iframe', 'object', 'embed', 'img', 'link', 'base', 'a']).not.toContain(tag.name)
        for (const key of tag.attributes.keys()) {
          expect(key).not.toMatch(/^(on.*|style|src|href|autofocus|formaction|http-equiv|tabindex)$/i)
        }
      }
      const styles = [...page.matchAll(/<style>([^<]*)<\/style>/g)].map(([, style = '']) => style)
      expect(styles).toHaveLength(1)
      expect(styles[0]).not.toMatch(/url\(|@import/i)
      const hash = createHash('sha256')
        .update(styles[0] ?? '')
        .digest('base64')
      expect(pageStyleHash).toBe(`'sha256-${hash}'`)
    },
  )
})

describe('texts that somebody else chose', () => {
  const hostile = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '<script>alert(1)</script>',
          '</title>',
          '</style>',
          '<p>',
          '" onfocus="x',
          "' onfocus='x",
          '<img src=x onerror=x>',
          '-->',
          '<!--',
          '&lt;b&gt;',
          '&#60;b>',
          '$&',
          '[object Object]',
          'javascript:x',
          '\u202e',
          '\u2066',
          '\u200b',
          '\u0000',
          '\ud800',
          '\u{e0041}',
        ),
        fc.string({ unit: 'grapheme', maxLength: 12 }),
      ),
      { minLength: 1, maxLength: 6 },
    )
    // A first letter keeps the text from being blank, which some pages show in another way.
    .map((parts) => `a${parts.join('')}`)

  test('S03 E33 D10 no text changes the markup of any page, whatever it is made of', () => {
    const plain = Object.fromEntries(
      Object.entries(pagesOf(() => 'a', 'xn--h.example')).map(([name, page]) => [name, shapeOf(page)]),
    )
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 7 }), (texts) => {
        let next = 0
        const pages = pagesOf(() => texts[next++ % texts.length] ?? '', `xn--${texts[0]}`)
        for (const [name, page] of Object.entries(pages)) expect(shapeOf(page)).toEqual(plain[name])
      }),
      { numRuns: 150 },
    )
  })

  test('E33 a script in a client id is text', () => {
    const id = 'https://claude.ai/c?x=<script>alert(1)</script>'
    const page = consentPage({ ...view, client: { ...proven, id } })
    expect(page).not.toContain('<script')
    expect(textOf(page)).toContain(id)
  })

  const named = (name: string): string =>
    consentPage({ ...view, client: { name, class: 'self-registered', id: 'c' } })

  test('D10 controls, direction overrides, zero-width and tag characters are not shown; letters of any script are', () => {
    const page = named('C\u0000l\u202Ea\u2066u\u200bd\u{e0041}e\u0301\u0301\u0301\u0301\u0301 \n كلود 雲 🏰')
    expect(page).toContain('<bdi>Claude\u0301\u0301 كلود 雲 🏰</bdi>')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(page).not.toMatch(/[\u0000-\u0008\u202a-\u202e\u2066-\u2069\u200b]/)
  })

  test('D10 a long name is cut, at characters, without letting the page grow with it', () => {
    const page = named('🏰'.repeat(10_000))
    expect(page).toContain(`<bdi>${'🏰'.repeat(80)}…</bdi>`)
    expect(page.length).toBeLessThan(named('x').length + 1_000)
    expect(page.isWellFormed()).toBe(true)
    expect(named(`Claude${'\u200b'.repeat(10_000)} by nobody`)).toContain('<bdi>Claude…</bdi>')
  })

  test.each(['', '   ', '\u200b\u200d', '\u3164\u2800', '\u202e'])(
    'D10 a blank name (%j) is called one',
    (name) => {
      expect(textOf(named(name))).toContain('Allow An application without a name to use')
    },
  )

  test('D10 a name is set apart and isolated, so that it cannot pass as our own words', () => {
    const page = named('Claude, which Warder has checked')
    expect(page).toContain('<strong class="name"><bdi>Claude, which Warder has checked</bdi></strong>')
    expect(page).not.toContain('<title>Claude')
  })

  test('E29 a host is shown whole, since its end counts; an unusual one is warned about', () => {
    const long = `claude.ai.${'label.'.repeat(38)}evil.example`
    const page = consentPage({ ...view, redirect: { kind: 'web', host: long, uri: `https://${long}/` } })
    expect(page).toContain(`<bdi class="host" dir="ltr">${long}</bdi>`)
    expect(textOf(page)).toContain('unusually long')
    const endless = consentPage({ ...view, redirect: { ...web, host: `${'a'.repeat(9_000)}.evil.example` } })
    expect(endless).toMatch(/<bdi class="host" dir="ltr">…a+\.evil\.example<\/bdi>/)
  })

  test.each(['xn--clude-zqa.ai', 'login.XN--80ak6aa92e.com', 'clаude.ai'])(
    'E29 letters of other alphabets in %s are warned about, for the client and for the redirect',
    (host) => {
      const warning = 'letters of other alphabets'
      const client = { ...proven, documentHost: host }
      expect(textOf(consentPage({ ...view, client }))).toContain(warning)
      expect(textOf(consentPage({ ...view, redirect: { ...web, host } }))).toContain(warning)
      expect(textOf(consentPage(view))).not.toContain(warning)
    },
  )
})
