const LONGEST_TEXT = 200
const SHOWN_ENTRIES = 8

/** A value as a message shows it, shortened to a readable length. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list (${clipped(value)})`
  if (typeof value === 'object')
    return Object.keys(value).length === 0 ? 'an empty map' : `a map (${clipped(value)})`
  return typeof value === 'string' ? JSON.stringify(short(value)) : String(value)
}

/** Text from the user, for use within a sentence, without the password of a URL. */
export function short(given: string): string {
  const text = given.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]*:[^\s/]*@/gi, '$1***@')
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}... (${text.length} characters)`
}

/** Lists names within a sentence. */
export function listed(names: readonly string[], most = 20): string {
  const shown = names.slice(0, most).map(short).join(', ')
  return names.length <= most ? shown : `${shown} and ${names.length - most} more`
}

function clipped(value: object): string {
  const text = JSON.stringify(Array.isArray(value) ? value.slice(0, SHOWN_ENTRIES) : firstOf(value))
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`
}

function firstOf(value: object): object {
  return Object.fromEntries(Object.entries(value).slice(0, SHOWN_ENTRIES))
}

/**
 * Text for a terminal: characters that move the cursor, or hide or reverse the text next to them, are written as
 * their code point. Line breaks and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(
    /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`,
  )
}
