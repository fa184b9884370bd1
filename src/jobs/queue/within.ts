import { NoAnswer } from '../../ledger/connection/no-answer.ts'

/**
 * Settles like the promise, or rejects with a NoAnswer after this many milliseconds; a later result of the promise is
 * ignored.
 */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(ms)), ms)
  })
  promise.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
