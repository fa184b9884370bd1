import { createRequire } from 'node:module'

/** Texts that differ in more lines than this are not compared line by line. */
const MOST_CHANGES = 2_000

/**
 * Lines that differ between two texts, in the form of a unified diff with one line around each change: `-` for what
 * was, `+` for what is. Empty where they agree.
 */
export function lineDiff(before: string, after: string, limit = 24): string[] {
  const [a, b] = [`${before.trimEnd()}\n`, `${after.trimEnd()}\n`]
  const patch = library().structuredPatch('', '', a, b, '', '', { context: 1, maxEditLength: MOST_CHANGES })
  if (patch === undefined) return [`the texts differ in more than ${MOST_CHANGES} lines`]
  const lines = patch.hunks.flatMap(({ newStart, lines }) => [
    `@@ line ${newStart} @@`,
    ...lines.map((line) => `${line.slice(0, 1)} ${line.slice(1)}`.trimEnd()),
  ])
  const more = lines.length - limit
  return more > 0 ? [...lines.slice(0, limit), `... ${more} more lines`] : lines
}

/** Loaded when two texts are compared, which few commands do. */
function library(): typeof import('diff') {
  return createRequire(import.meta.url)('diff')
}
