const MOST = 500
const drawn = new Map<string, Promise<string>>()

/** Returns the cached drawing of this key, else draws it. The last 500 are kept; failures are not. */
export function remembered(key: string, draw: () => Promise<string>): Promise<string> {
  const known = drawn.get(key)
  if (known !== undefined) {
    // Moved to the end, so that recently used drawings stay.
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
