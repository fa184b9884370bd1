import type { Model } from '../project.ts'

/** The classes of failure (src/pipeline/engine/failure.ts) and drift: the anchors that mails and `show` link to. */
export const RUNBOOK_CLASSES = [
  'late-data',
  'contract',
  'model',
  'resource',
  'transient',
  'bug',
  'drift',
] as const
export type RunbookClass = (typeof RUNBOOK_CLASSES)[number]

export interface RunbookSection {
  class: RunbookClass
  /** True where nothing is written, or a line still begins with TODO. A section that is not there is empty too. */
  empty: boolean
  /** Line of the heading; undefined: there is no such section. */
  line: number | undefined
}

/** What a skeleton needs to know of a model. */
export type RunbookModel = Pick<Model, 'name' | 'description' | 'owner' | 'on_call' | 'view'>

/** One section for each class, in the order of the classes, whether it is there or not. */
export function runbookSections(text: string): RunbookSection[] {
  const found = new Map<string, { line: number; body: string[] }>()
  let body: string[] | undefined
  let fenced = false
  for (const [index, line] of withoutComments(text).split(/\r?\n/).entries()) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced
    const heading = fenced ? undefined : headingOf(line)
    // A deeper heading belongs to the section that it stands in.
    if (heading === undefined || heading.level > 2) {
      body?.push(line)
      continue
    }
    body = []
    const anchor = heading.text.toLowerCase().replaceAll('`', '').replace(/\s+/g, '-')
    if (!found.has(anchor)) found.set(anchor, { line: index + 1, body })
  }
  return RUNBOOK_CLASSES.map((each) => {
    const section = found.get(each)
    return { class: each, empty: section === undefined || isEmpty(section.body), line: section?.line }
  })
}

/** Comments are blanked, so that lines keep their numbers; one that does not end is none. */
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

/** A line of Markdown that begins with # signs, also without those that close it. */
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
 * A runbook with the first steps that hold for every model, and a TODO in each section for what only its owners know.
 * `notes` fill such places: by class, Markdown.
 */
export function runbookSkeleton(
  model: RunbookModel,
  notes: Partial<Record<RunbookClass, string>> = {},
): string {
  const sections = RUNBOOK_CLASSES.map((each) => section(each, model, notes[each]))
  return `${head(model)}\n${sections.join('\n')}`
}

function head({ name, description, owner, on_call, view }: RunbookModel): string {
  return `# Runbook: ${name}

${description === '' ? 'TODO: what a score says, and who decides what by it.' : `${description}.`.replace('..', '.')}
Features: view \`${view}\`. Owner: ${owner}. On call: ${on_call.join(', ')}.

Readers keep the last good partition whatever happens here. Look first:

\`\`\`sh
nightshift status ${name}      # the nights, their state, what is late
nightshift show RUN           # steps, failed expectations, inputs, error (RUN: as in the mail)
\`\`\`
`
}

function section(of: RunbookClass, model: RunbookModel, note: string | undefined): string {
  const { title, steps, todo } = FIRST_STEPS[of]
  const list = steps(model).map((step, index) => `${index + 1}. ${step}`)
  return `## ${of}\n\n${title}\n\n${list.join('\n')}\n\n${note ?? `TODO: ${todo}`}\n`
}

const FIRST_STEPS: Record<
  RunbookClass,
  { title: string; steps(model: RunbookModel): string[]; todo: string }
> = {
  'late-data': {
    title:
      'A source of the night was not there in time: the night waited for it, then gave up. Nothing was published.',
    steps: ({ name }) => [
      '`nightshift show RUN` names the source, its newest row and how new it had to be.',
      'Ask whoever loads that source when it comes. Once it is there: `nightshift retry RUN`.',
      `If it does not come today: \`nightshift skip ${name}:AS-OF --reason "..."\`, and tell the readers.`,
    ],
    todo: 'for each source, which job writes it, who runs that job, how they are reached at night.',
  },
  contract: {
    title:
      'The data or the SQL broke a promise: an expectation failed, a column is missing or has another type. The night is held.',
    steps: () => [
      '`nightshift show RUN` lists each failed expectation with its value, its bound and sample rows.',
      'The data is wrong: have it loaded again, then `nightshift retry RUN`.',
      'The data is right and the bound was too tight: `nightshift release RUN --reason "..." --by YOU`, and mend the bound in view.yaml by day.',
    ],
    todo: 'which expectations break for harmless reasons (campaigns, holidays), and who may say that a night is right.',
  },
  model: {
    title:
      'The ONNX file failed, or gave scores that are not finite or out of range. Trying again would not help.',
    steps: ({ name }) => [
      `\`nightshift history ${name}\` says what was promoted lately.`,
      `After a promotion: \`nightshift rollback ${name}\`, then \`nightshift run ${name} --as-of D\` scores the night with the former champion.`,
      'Without one: compare the inputs of the night with those of the last good one (`nightshift show` of both).',
    ],
    todo: 'who trained the model and can tell whether an older version may be used.',
  },
  resource: {
    title: 'Memory, disk or time ran out, on every attempt.',
    steps: () => [
      '`nightshift doctor` says what is short: disk, memory, connections.',
      'Make room (never delete below `warehouse/.attempts/` while a run works), then `nightshift retry RUN`.',
      'The timeout was too short: raise `timeout` in the schedule, `nightshift validate`, then `nightshift retry RUN`.',
    ],
    todo: 'how long a night usually takes, how much memory it needs, and who gives more of it.',
  },
  transient: {
    title: 'A connection, a lock or a process was lost, on every attempt.',
    steps: () => [
      '`nightshift doctor` checks PostgreSQL, Redis, SMTP and the warehouse.',
      'Bring back what it names, then `nightshift retry RUN`.',
      'Everything is there: `nightshift retry RUN` once; if it fails again, treat it as `bug`.',
    ],
    todo: 'who runs those servers, and where their own alerts are.',
  },
  bug: {
    title: 'Something that nobody had thought of.',
    steps: ({ name }) => [
      '`nightshift show RUN --json > run.json` keeps what is known.',
      'Retry once: `nightshift retry RUN`. It worked: write down what you saw, and go back to bed.',
      `It did not: since a change? \`nightshift history ${name}\`, and the log of this project's files in git. Undo it, retry.`,
    ],
    todo: 'whom to call at night, and from which hour the readers have to be told.',
  },
  drift: {
    title:
      'The features or the scores moved away from the reference, on several nights. The scores are published all the same.',
    steps: ({ name }) => [
      `\`nightshift drift ${name} --as-of D\` lists each column with its figures and its threshold; \`nightshift report ${name} --as-of D\` shows the pictures.`,
      `A fault in a source (nulls, a new unit, a value nobody has seen): have it repaired, then \`nightshift backfill ${name} --from D --to D --stale\`.`,
      `The world has changed (prices, a campaign, a season): \`nightshift mute ${name} --until 7d\`, and train on newer nights; the holdout of the new version is what nights are compared with then.`,
    ],
    todo: 'which columns move for harmless reasons, and how far the scores may move before somebody has to be told.',
  },
}
