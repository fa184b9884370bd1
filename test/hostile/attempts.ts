import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

/*
 * What an attacker writes, where it goes in, and what happened. Each attempt returns what came out at the other end; `SECRET`,
 * or a mark that the attacker's code ran, must never be in it.
 */

export const SECRET = 'hunter2-the-secret'
export const SCRIPT = '<script>alert(1)</script>'
export const BREAKOUT = `"'><img src=x onerror=alert(1)>`
/** Elements and addresses of ours never look like this. */
export const MARKUP = /<script|<img src=x|<b onclick|href="(?:javascript|vbscript):/i
/** The escape of terminals, a turn of direction, the character of code 0. */
export const ESCAPES = ['\u001b', '\u202e', '\u0000']

export type Row = [payload: string, where: string, attempt: () => Promise<string>, happened: RegExp]

/** One test for each row. */
export function nothingGetsIn(title: string, rows: Row[]): void {
  describe(title, () => {
    test.each(rows)('%s as %s does not get in', async (_payload, _where, attempt, happened) => {
      const out = await attempt()
      expect(out).toMatch(happened)
      expect(out).not.toContain(SECRET)
      if (out.includes('<!doctype html>')) expect(out).not.toMatch(MARKUP)
      expect(ESCAPES.filter((sign) => out.includes(sign))).toEqual([])
      expect(existsSync('/tmp/nightshift-owned')).toBe(false)
    })
  })
}
