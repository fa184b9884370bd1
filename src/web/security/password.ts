import bcrypt from 'bcryptjs'
import { ConfigurationError } from '../../project/files/problem.ts'

/** 2^12 rounds: some 0.3 s, of which bcryptjs blocks the loop for at most 0.1 s at a time. */
const COST = 12
const SHORTEST = 8
/** bcrypt reads no further: what comes after it would not count. */
const LONGEST_BYTES = 72

/** @throws ConfigurationError where the password is too short, or longer than bcrypt reads */
export async function hashPassword(password: string): Promise<string> {
  if ([...password].length < SHORTEST) {
    throw new ConfigurationError(
      `password: expected at least ${SHORTEST} characters, got: ${[...password].length}`,
    )
  }
  const bytes = Buffer.byteLength(password)
  if (bytes > LONGEST_BYTES) {
    throw new ConfigurationError(
      `password: expected at most ${LONGEST_BYTES} bytes, since bcrypt reads no further, got: ${bytes}`,
    )
  }
  if (password.includes('\0'))
    throw new ConfigurationError('password: expected text, got: a NUL character in it')
  return bcrypt.hash(password, COST)
}

/** Costs beyond 15 take seconds a try: a sign-in page that anybody may ask is none for them. */
export function isHash(text: string): boolean {
  return /^\$2[aby]\$(?:0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}$/.test(text)
}

/**
 * Whether the password is the one of the hash. Takes as long where there is no such user: `hash` undefined compares
 * with a hash of the cost that the others have.
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

/** A hash that no password has (its digest is made up), at the cost of the dearest of the others. */
function decoy(others: Iterable<{ hash: string }>): string {
  const costs = [...others].map(({ hash }) => Number(hash.slice(4, 6)))
  const cost = String(Math.max(4, ...costs)).padStart(2, '0')
  return `$2b$${cost}$${'.'.repeat(22)}${'A'.repeat(31)}`
}
