// Controls, formats (direction, zero-width, tags), private use, what no version of Unicode that we know has assigned, lone
// surrogates, separators of lines, and what fonts draw as nothing.
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu

/**
 * A text that somebody else chose, without the characters that nobody sees or that a terminal obeys: they make one name look
 * like another, hide words, or turn round what stands beside them (D10, Q27). `shown` says what stands in their place.
 */
export function withoutInvisible(text: string, shown: (character: string) => string = () => ''): string {
  return text.replace(invisible, shown)
}

/** Whether a text has such a character. */
export function hasInvisible(text: string): boolean {
  return text.search(invisible) !== -1
}
