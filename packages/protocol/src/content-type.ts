const jsonType = /^application\/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i

/**
 * Whether a `Content-Type` says JSON in UTF-8 (L11): the type alone, or with that one charset. Any other parameter, a quote
 * without its other one, and two types in one header are something that the next reader may take differently.
 */
export function isJsonType(contentType: string | undefined): boolean {
  // Nearly all of them are written like this, and asking costs less than an expression.
  return contentType === 'application/json' || jsonType.test(contentType ?? '')
}
