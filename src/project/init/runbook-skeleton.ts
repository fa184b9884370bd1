import { type IncidentKind, RUNBOOK_SECTIONS } from '../../failures/incident-kinds.ts'
import type { Model } from '../project.ts'

export interface RunbookSection {
  class: IncidentKind
  /** True if there is no text, or a line still begins with TODO. A missing section is empty too. */
  empty: boolean
  /** Line of the heading; undefined if the section is missing. */
  line: number | undefined
}

/** What a skeleton needs of a model. */
export type RunbookModel = Pick<Model, 'name' | 'description' | 'owner' | 'on_call' | 'view'>

/** One section for each class, in the order of the classes, including missing ones. */
export function runbookSections(text: string): RunbookSection[] {
  const found = sectionsOf(text)
  return RUNBOOK_SECTIONS.map(({ kind }) => {
    const section = found.get(kind)
    return { class: kind, empty: section === undefined || isEmpty(section.body), line: section?.line }
  })
}

/** The text below a section's heading, deeper headings included; empty if there is none. */
export function sectionText(text: string, anchor: string): string {
  return sectionsOf(text).get(anchor)?.body.join('\n') ?? ''
}

function sectionsOf(text: string): Map<string, { line: number; body: string[] }> {
  const found = new Map<string, { line: number; body: string[] }>()
  let body: string[] | undefined
  let fenced = false
  for (const [index, line] of withoutComments(text).split(/\r?\n/).entries()) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced
    const heading = fenced ? undefined : headingOf(line)
    // A deeper heading belongs to the section around it.
    if (heading === undefined || heading.level > 2) {
      body?.push(line)
      continue
    }
    body = []
    const anchor = heading.text.toLowerCase().replaceAll('`', '').replace(/\s+/g, '-')
    if (!found.has(anchor)) found.set(anchor, { line: index + 1, body })
  }
  return found
}

/** Comments are blanked, so that line numbers stay the same. An unclosed comment does not count as one. */
export function withoutComments(text: string): string {
  let kept = ''
  let at = 0
  for (;;) {
    const begin = text.indexOf('<!--', at)
    const end = begin < 0 ? -1 : text.indexOf('-->', begin + 4)
    if (end < 0) return kept + text.slice(at)
    kept += text.slice(at, begin) + text.slice(begin, end).replace(/[^\n]/g, '')
    at = end + 3
  }
}

/** A Markdown heading, without its opening and closing # signs. */
export function headingOf(line: string): { level: number; text: string } | undefined {
  const [, signs = '', rest = ''] = /^(#{1,6})\s(.*)$/s.exec(line) ?? []
  if (signs === '') return undefined
  const text = rest.trim()
  let end = text.length
  while (end > 0 && text[end - 1] === '#') end--
  return { level: signs.length, text: text.slice(0, end).trimEnd() }
}

function isEmpty(body: string[]): boolean {
  const written = body.map((line) => line.trim()).filter((line) => line !== '' && !/^(```|~~~|#)/.test(line))
  return written.length === 0 || written.some((line) => /^[-*>]?\s*(\d+\.\s*)?\**TODO\b/.test(line))
}

/**
 * A runbook with the first steps that apply to every model, and a TODO in each section for what only its owners know.
 * `notes` replace the TODOs: Markdown by class.
 */
export function runbookSkeleton(
  model: RunbookModel,
  notes: Partial<Record<IncidentKind, string>> = {},
): string {
  return `${head(model)}\n${skeletonSections(model, RUNBOOK_SECTIONS, notes).join('\n')}`
}

/** The sections of the skeleton that a runbook lacks, as Markdown; empty if it has all of them. */
export function missingSections(model: RunbookModel, text: string): string {
  const missing = new Set(
    runbookSections(text).flatMap((section) => (section.line === undefined ? [section.class] : [])),
  )
  const sections = RUNBOOK_SECTIONS.filter(({ kind }) => missing.has(kind))
  return skeletonSections(model, sections, {}).join('\n')
}

function skeletonSections(
  { name }: RunbookModel,
  sections: typeof RUNBOOK_SECTIONS,
  notes: Partial<Record<IncidentKind, string>>,
): string[] {
  return sections.map(({ kind, text: { title, steps, todo } }) => {
    const list = steps(name).map((step, index) => `${index + 1}. ${step}`)
    return `## ${kind}\n\n${title}\n\n${list.join('\n')}\n\n${notes[kind] ?? `TODO: ${todo}`}\n`
  })
}

function head({ name, description, owner, on_call, view }: RunbookModel): string {
  return `# Runbook: ${name}

${description === '' ? 'TODO: what a score means, and who uses it for which decision.' : `${description}.`.replace('..', '.')}
Features: view \`${view}\`. Owner: ${owner}. On call: ${on_call.join(', ')}.

Readers keep the last good partition whatever happens here. Look first:

\`\`\`sh
nightshift status ${name}      # the nights, their state, what is late
nightshift show RUN           # steps, failed expectations, inputs, error (RUN: as in the mail)
\`\`\`
`
}
