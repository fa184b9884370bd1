/**
 * Text from outside (a customer's id, a category, an engine's message, the name of a file) on its way into PostgreSQL,
 * whose `text` and `jsonb` hold no NUL, and whose `jsonb` takes no half of a surrogate pair. A NUL becomes the six characters
 * `\u0000`, which a person can read; a half becomes U+FFFD. Every parameter of the ledger comes through here (see
 * ledger-client.ts), so that no text can break a transaction. What needs neither is returned as it is.
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
/** Escapes one by one, so that an escaped backslash before a `u` is none. */
const ESCAPE = /\\(?:u([0-9a-f]{4})|.)/gs

/** `JSON.stringify` escapes NUL and halves of pairs alone, never a whole pair. */
function storableJson(json: string): string {
  return json.replace(ESCAPE, (written, code?: string) => {
    if (code === '0000') return '\\\\u0000'
    return code !== undefined && /^d[89a-f]/.test(code) ? '\\ufffd' : written
  })
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
