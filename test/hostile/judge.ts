/**
 * `exact`: as the catalogue says. `secure`: refused in another form. `trouble`: an error of the server's own (5xx), or something
 * that must not come along with a refusal. `went through`: it was not refused; how bad that is says the severity of the row.
 * `chose otherwise`: it was not refused where the specifications leave that open. `no twin`: the steps fail without the defect
 * as well, so nothing is proved.
 */
export type Verdict = 'exact' | 'secure' | 'trouble' | 'went through' | 'chose otherwise' | 'no twin'

const refused = /^(page 4|redirect [a-z_]+|4\d\d\b|RS40|HM|tool error|200 -32|closed|401)/

export function judge(observed: string, expected: readonly string[], isChoice: boolean): Verdict {
  if (expected.some((one) => fits(observed, one))) return 'exact'
  if (/^(page )?5\d\d\b/.test(observed)) return 'trouble'
  if (refused.test(observed)) return 'secure'
  return isChoice ? 'chose otherwise' : 'went through'
}

/** Whether an outcome is what was expected; `deny` and a bare status stand for several. */
export function fits(observed: string, expected: string): boolean {
  if (expected === 'deny') return ['403', 'RS403', 'tool error', '200 -32602'].includes(observed)
  if (expected === '400' && observed === 'HM') return true
  if (expected === '401' && observed === 'RS401') return true
  return observed === expected || (/^\d{3}$/.test(expected) && observed.startsWith(`${expected} `))
}
