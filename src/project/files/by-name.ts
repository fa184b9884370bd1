/** Without a prototype, so that a name such as `constructor` is not found. */
export function byName<T extends { name: string }>(things: T[]): Record<string, T> {
  const named: Record<string, T> = Object.create(null)
  for (const thing of things) named[thing.name] = thing
  return named
}
