/**
 * The lines of a page that a program did not print. A line without figures has to be printed as it stands, `...` being
 * anything; of a line with figures, which differ from project to project, the first two words.
 */
export function notPrinted(shown: string[], printed: string): string[] {
  const lines = printed.split('\n').map(spaced)
  const shapes = new Set(lines.map(shape))
  return shown.filter((line) => {
    const text = spaced(line)
    if (text === '' || text === '...') return false
    if (/\d/.test(text)) return !shapes.has(shape(text))
    const parts = text.split('...').map((part) => part.trim())
    return !lines.some((each) => {
      let from = 0
      return parts.every((part) => {
        const at = each.indexOf(part, from)
        from = at + part.length
        return at >= 0
      })
    })
  })
}

function spaced(line: string): string {
  return line.trim().replaceAll(/\s+/g, ' ')
}

/** The first two words, without figures and ids: `training set 3e8078931979 of churn` is `training set`. */
function shape(line: string): string {
  const words = line.replaceAll(/\b(?=\w*\d)[\w.:+-]+/g, '#').split(' ')
  return words.slice(0, 2).join(' ')
}
