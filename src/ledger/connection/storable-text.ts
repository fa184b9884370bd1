/**
 * Converts text from outside (a customer's id, a category, an engine's message, a file name) for PostgreSQL: `text`
 * and `jsonb` cannot contain NUL, and `jsonb` no unpaired surrogate. NUL becomes the six characters `\u0000`, which
 * remain readable; an unpaired surrogate becomes U+FFFD. Every parameter of the ledger is converted (see
 * ledger-client.ts), so that no text can break a transaction. Other text is returned unchanged.
 */
export function storable(parameter: unknown): unknown {
  if (typeof parameter === 'string') return storableText(parameter)
  if (Array.isArray(parameter)) return parameter.map(storable)
  if (isPlainObject(parameter)) return storableText(JSON.stringify(parameter))
  return parameter
}

function storableText(text: string): string {
  const whole = text.includes('\0') ? text.replaceAll('\0', '\\u0000') : text
  return ESCAPED.test(whole) && JSON_TEXT.test(text) ? storableJson(whole) : whole
}

const JSON_TEXT = /^[{["]/
const ESCAPED = /\\u(?:0000|d[89a-f])/
/** Matches escapes one by one, so that an escaped backslash before a `u` is not one. */
const ESCAPE = /\\(?:u([0-9a-f]{4})|.)/gs

/** `JSON.stringify` escapes only NUL and unpaired surrogates, never a complete pair. */
function storableJson(json: string): string {
  return json.replace(ESCAPE, (written, code?: string) => {
    if (code === '0000') return '\\\\u0000'
    return code !== undefined && /^d[89a-f]/.test(code) ? '\\ufffd' : written
  })
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
