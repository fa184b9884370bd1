/** A value as JSON has it: numbers as numbers where JavaScript holds them exactly, else as they are written. */
export function jsonValue(text: string | null, type: string | undefined): string | number | boolean | null {
  if (text === null || type === undefined) return text
  if (type === 'BOOLEAN') return text === 'true'
  if (/^(FLOAT|DOUBLE)$/.test(type)) return Number.isFinite(Number(text)) ? Number(text) : text
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) {
    return Number.isSafeInteger(Number(text)) ? Number(text) : text
  }
  // Fifteen digits survive the way to a double and back.
  if (type.startsWith('DECIMAL')) return text.replace(/\D/g, '').length <= 15 ? Number(text) : text
  return text
}
