import bcrypt from 'bcryptjs'
import { ConfigurationError } from '../../project/files/problem.ts'

/** 2^12 rounds: about 0.3 s; bcryptjs blocks the event loop for at most 0.1 s at a time. */
const COST = 12
const SHORTEST = 8
/** bcrypt ignores all bytes after this. */
const LONGEST_BYTES = 72

/** @throws ConfigurationError if the password is too short, or longer than bcrypt reads */
export async function hashPassword(password: string): Promise<string> {
  if ([...password].length < SHORTEST) {
    throw new ConfigurationError(
      `password: expected at least ${SHORTEST} characters, got: ${[...password].length}`,
    )
  }
  const bytes = Buffer.byteLength(password)
  if (bytes > LONGEST_BYTES) {
    throw new ConfigurationError(
      `password: expected at most ${LONGEST_BYTES} bytes, because bcrypt ignores the rest, got: ${bytes}`,
    )
  }
  if (password.includes('\0'))
    throw new ConfigurationError('password: expected text, got: text with a NUL character')
  return bcrypt.hash(password, COST)
}

/** Costs above 15 take seconds per attempt: too slow for a public sign-in page. */
export function isHash(text: string): boolean {
  return /^\$2[aby]\$(?:0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}$/.test(text)
}

/**
 * Whether the password matches the hash. Takes the same time for an unknown user: an undefined `hash` is compared with a
 * decoy that has the cost of the other hashes.
 */
export async function verifyPassword(
  password: string,
  hash: string | undefined,
  others: Iterable<{ hash: string }>,
): Promise<boolean> {
  if (Buffer.byteLength(password) > LONGEST_BYTES) return false
  const matches = await bcrypt.compare(password, hash ?? decoy(others))
  return matches && hash !== undefined
}

/** A hash that no password matches (its digest is made up), with the highest cost of the other hashes. */
function decoy(others: Iterable<{ hash: string }>): string {
  const costs = [...others].map(({ hash }) => Number(hash.slice(4, 6)))
  const cost = String(Math.max(4, ...costs)).padStart(2, '0')
  return `$2b$${cost}$${'.'.repeat(22)}${'A'.repeat(31)}`
}
