/** Does the work for each item, `most` at a time. All that has begun ends before the first error is thrown. */
export async function inParallel<T>(
  items: Iterable<T>,
  most: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]()
  const errors: unknown[] = []
  const worker = async () => {
    for (let next = queue.next(); !next.done && errors.length === 0; next = queue.next())
      await work(next.value).catch((error: unknown) => void errors.push(error))
  }
  await Promise.all(Array.from({ length: most }, worker))
  if (errors.length > 0) throw errors[0]
}
