import { describe, expect, it } from 'vitest'
import { Refusal, refusals, toRefusal } from '../src/index.ts'

const rows = Object.entries(refusals)
const statuses = [200, 400, 401, 403, 404, 405, 413, 415, 417, 421, 426, 429, 431, 500, 502, 503]
/** JSON-RPC 2.0 section 5.1 and MCP 2026-07-28, error codes; the last is our own, for a body beside a 403. */
const codes = [-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022, 403]

describe('the catalogue of refusals', () => {
  it.each(rows)('%s is complete', (reason, row) => {
    expect(reason).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)?$/)
    expect(row.error).toMatch(/^[a-z]+(_[a-z]+)*$/)
    expect(row.says).not.toBe('')
    expect(row.rule).not.toBe('')
    expect(statuses).toContain(row.status)
    if (row.code !== undefined) expect(codes).toContain(row.code)
  })

  it.each(rows)('C38 G33 what %s says fits error_description and echoes nothing', (_, row) => {
    expect(row.says).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
    expect(row.says).not.toMatch(/[{}$%<>]|undefined|null|\[object/)
  })

  it('GW-53 GW-54 uses no code of the reserved range that MCP does not define', () => {
    const reserved = rows
      .flatMap(([, row]) => row.code ?? [])
      .filter((code) => code <= -32020 && code >= -32099)
    expect([...new Set(reserved)].sort()).toEqual([-32020, -32022])
  })

  it('GW-55 GW-56 has no code for authorization, nor any of the range that new code leaves alone', () => {
    const old = rows.flatMap(([, row]) => row.code ?? []).filter((code) => code <= -32000 && code >= -32019)
    expect(old).toEqual([])
    const codes = rows
      .filter(([, { status }]) => status === 401 || status === 403)
      .flatMap(([, row]) => row.code ?? [])
    expect(codes.filter((code) => code <= -32000 && code >= -32768 && code !== -32600)).toEqual([])
  })

  it.each(rows.filter(([, row]) => row.error === 'invalid_token'))('RS-12 %s is 401', (_, row) => {
    expect(row.status).toBe(401)
  })

  it.each(
    rows.filter(([, row]) => /^invalid_(grant|target|scope|redirect_uri|client_metadata)$/.test(row.error)),
  )('RFC 6749 %s is 400', (_, row) => {
    expect(row.status).toBe(400)
  })

  it.each(rows.filter(([reason]) => reason.endsWith('.unavailable')))('fail closed: %s is 503', (_, row) => {
    expect(row.status).toBe(503)
  })

  it('answers the insufficient scope of RS-21 with 403', () => {
    expect(refusals['scope.insufficient']).toMatchObject({ status: 403, error: 'insufficient_scope' })
  })
})

describe('Refusal', () => {
  it('keeps detail for the log, apart from what a peer may read', () => {
    const refusal = new Refusal('pkce.missing', { detail: 'secret input' })
    expect(refusal.message).toBe('pkce.missing: secret input')
    expect(refusal.rule).toBe(refusals['pkce.missing'])
    expect(refusal.rule.says).not.toContain('secret')
  })

  it('turns every other error into internal, with itself as cause', () => {
    const error = new TypeError('x')
    expect(toRefusal(error)).toMatchObject({ reason: 'internal', cause: error })
    expect(toRefusal(undefined).reason).toBe('internal')
    const refusal = new Refusal('token.missing')
    expect(toRefusal(refusal)).toBe(refusal)
  })
})
