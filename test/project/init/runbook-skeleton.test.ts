import { describe, expect, it } from 'vitest'
import { INCIDENT_KINDS } from '../../../src/failures/incident-kinds.ts'
import {
  missingSections,
  runbookSections,
  runbookSkeleton,
} from '../../../src/project/init/runbook-skeleton.ts'

const churn = {
  name: 'churn',
  description: 'Probability of churn',
  owner: 'ann@example.com',
  on_call: ['oncall@example.com'],
  view: 'activity',
}
const emptyOnes = (text: string) =>
  runbookSections(text).flatMap((section) => (section.empty ? [section.class] : []))

describe('a runbook', () => {
  it('has a section for each class of failure and each kind of incident', () => {
    expect(runbookSections('').map((section) => section.class)).toEqual([...INCIDENT_KINDS])
  })

  it('is all empty where nothing is written', () => {
    expect(runbookSections('# Runbook\n').every(({ empty, line }) => empty && line === undefined)).toBe(true)
  })

  it('counts as empty what has only headings, comments or a TODO', () => {
    const text = [
      '# Runbook',
      '## late-data',
      'Call the load team.',
      '## contract',
      '<!-- what to',
      'do -->',
      '## `model`',
      'Known steps.',
      '- TODO: more',
      '## resource',
      '### Disk',
      '## transient',
      '### Redis',
      'Restart it.',
      '## bug ##',
      'Look at TODO lists.',
    ].join('\n')
    const lines = Object.fromEntries(runbookSections(text).map((each) => [each.class, each]))
    expect(emptyOnes(text).filter((kind) => lines[kind]?.line !== undefined)).toEqual([
      ...['contract', 'model', 'resource'],
    ])
    expect(lines).toMatchObject({
      'late-data': { line: 2, empty: false },
      contract: { line: 4 },
      model: { line: 7 },
      resource: { line: 10 },
      transient: { line: 12, empty: false },
      bug: { line: 15, empty: false },
      deadline: { line: undefined, empty: true },
    })
  })

  it('takes no heading from a block of code', () => {
    expect(emptyOnes('## bug\n```sh\n## late-data\nnightshift status\n```\n')).not.toContain('bug')
    expect(runbookSections('```\n## late-data\nx\n```\n')[0]).toMatchObject({ line: undefined })
  })
})

describe('the skeleton', () => {
  it('has real first steps in each section, and stays empty until its owner has written', () => {
    const text = runbookSkeleton(churn)
    expect(emptyOnes(text)).toEqual([...INCIDENT_KINDS])
    expect(runbookSections(text).every(({ line }) => line !== undefined)).toBe(true)
    for (const section of text.split(/^## /m).slice(1)) expect(section).toMatch(/`nightshift \w+/)
    expect(text).toContain('nightshift skip churn:AS-OF --reason')
  })

  it('takes notes in the place of a TODO', () => {
    expect(emptyOnes(runbookSkeleton(churn, { contract: 'Ask the CRM.' }))).not.toContain('contract')
  })
})

describe('the sections that a runbook lacks', () => {
  it('are those of the skeleton, in its order, and none where all are there', () => {
    const text = runbookSkeleton(churn)
    expect(missingSections(churn, text)).toBe('')
    const without = text.replace(/^## (drift|bug)$[\s\S]*?(?=^## )/gm, '')
    const missing = missingSections(churn, without)
    expect([...missing.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual(['bug', 'drift'])
    expect(runbookSections(`${without}\n${missing}`).every(({ line }) => line !== undefined)).toBe(true)
  })
})
