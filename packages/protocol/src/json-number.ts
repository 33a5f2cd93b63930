const short = /^[1-9][0-9]{0,14}$/
const wholeNumber = /^(-?[0-9]+)(?:\.0+)?$/
const zeroWithExponent = /^0(?:\.0+)?[eE]/

/**
 * Whether a double carries a JSON number (M06, RFC 7493 section 2.2), so that policy and upstream see the same one.
 *
 * Whole numbers must come back digit by digit. A fraction or an exponent asks for a double, so its last digits may round; but it
 * must be neither infinite nor lost in zero. Minus zero is never carried: JSON.stringify writes it as zero.
 */
export function isCarriedByDouble(literal: string): boolean {
  if (short.test(literal)) return true
  const value = Number(literal)
  const whole = wholeNumber.exec(literal)?.[1]
  if (whole !== undefined) return String(value) === whole
  return Number.isFinite(value) && (value !== 0 || zeroWithExponent.test(literal))
}
