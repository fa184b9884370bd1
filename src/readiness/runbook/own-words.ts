import { RUNBOOK_SECTIONS } from '../../failures/incident-kinds.ts'
import { runbookSections, runbookSkeleton, sectionText } from '../../project/init/runbook-skeleton.ts'
import type { Model } from '../../project/project.ts'

/** A section says something of its own with this many words that the skeleton does not have. */
const FEWEST_WORDS = 8

/** A section that answers nothing yet, and why. */
export interface OpenSection {
  section: string
  why: 'is missing' | 'is empty' | 'has only the words of the skeleton'
}

/** Sections of a runbook that are missing, empty, or only as the skeleton has them. */
export function openSections(model: Model, text: string): OpenSection[] {
  const skeleton = runbookSkeleton(model)
  const found = runbookSections(text)
  return RUNBOOK_SECTIONS.flatMap(({ kind }): OpenSection[] => {
    const section = found.find((each) => each.class === kind)
    if (section?.line === undefined) return [{ section: kind, why: 'is missing' }]
    const given = wordsOf(sectionText(skeleton, kind))
    const own = linesOf(sectionText(text, kind)).flatMap((line) => {
      const words = line.split(' ')
      return given.lines.has(line) ? [] : words.filter((word) => !given.words.has(word))
    })
    if (section.empty) return [{ section: kind, why: 'is empty' }]
    return new Set(own).size < FEWEST_WORDS
      ? [{ section: kind, why: 'has only the words of the skeleton' }]
      : []
  })
}

function wordsOf(text: string): { lines: Set<string>; words: Set<string> } {
  const lines = linesOf(text)
  return { lines: new Set(lines), words: new Set(lines.flatMap((line) => line.split(' '))) }
}

/** Lines as bare words: without punctuation, numbers of a list, headings, and words of one or two letters. */
function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .filter((line) => !/^\s*#{1,6}\s/.test(line))
    .map((line) =>
      line
        .toLowerCase()
        .split(/[^\p{L}\p{N}]+/u)
        .filter((word) => word.length > 2)
        .join(' '),
    )
    .filter((line) => line !== '')
}
