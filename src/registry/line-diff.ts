/**
 * Lines that differ between two texts, in the form of a unified diff with one line around each change: `-` for what
 * was, `+` for what is. By the longest common subsequence, quadratic in the number of lines. Empty where they agree.
 */
export function lineDiff(before: string, after: string, limit = 24): string[] {
  const [a, b] = [before.trimEnd().split('\n'), after.trimEnd().split('\n')]
  const all = steps(a, b)
  const near = (index: number) =>
    [index - 1, index, index + 1].some((at) => all[at]?.sign !== ' ' && all[at] !== undefined)
  const lines: string[] = []
  let last = -1
  all.forEach(({ sign, text, line }, index) => {
    if (!near(index)) return
    if (index !== last + 1 || lines.length === 0) lines.push(`@@ line ${line} @@`)
    lines.push(`${sign} ${text}`.trimEnd())
    last = index
  })
  const more = lines.length - limit
  return more > 0 ? [...lines.slice(0, limit), `... ${more} more lines`] : lines
}

interface Step {
  sign: '-' | '+' | ' '
  text: string
  /** Of the text as it is, from 1. */
  line: number
}

function steps(a: string[], b: string[]): Step[] {
  // common[i][j]: length of the longest common subsequence of a from i on and b from j on.
  const common = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const [below, right] = [common[i + 1]?.[j] ?? 0, common[i]?.[j + 1] ?? 0]
      const row = common[i]
      if (row !== undefined)
        row[j] = a[i] === b[j] ? (common[i + 1]?.[j + 1] ?? 0) + 1 : Math.max(below, right)
    }
  }
  const found: Step[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const [was, is] = [a[i], b[j]]
    if (was !== undefined && was === is) {
      found.push({ sign: ' ', text: was, line: j + 1 })
      i++
      j++
    } else if (
      is === undefined ||
      (was !== undefined && (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0))
    ) {
      found.push({ sign: '-', text: was ?? '', line: j + 1 })
      i++
    } else {
      found.push({ sign: '+', text: is, line: j + 1 })
      j++
    }
  }
  return found
}
