const MOST = 500
const drawn = new Map<string, Promise<string>>()

/** What was drawn under this key, else draws it: the last 500 are kept. A drawing that fails is not. */
export function remembered(key: string, draw: () => Promise<string>): Promise<string> {
  const known = drawn.get(key)
  if (known !== undefined) {
    // Moved to the end: what is asked for again stays.
    drawn.delete(key)
    drawn.set(key, known)
    return known
  }
  const drawing = draw()
  drawn.set(key, drawing)
  drawing.catch(() => drawn.delete(key))
  const oldest = drawn.keys().next()
  if (drawn.size > MOST && !oldest.done) drawn.delete(oldest.value)
  return drawing
}
