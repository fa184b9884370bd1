import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { curvesOf } from '../../src/pipeline/evaluation/curves.ts'
import { measure } from '../../src/pipeline/evaluation/measure.ts'
import type { Sample } from '../../src/pipeline/evaluation/metrics.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { type EvaluationRecord, recordEvaluation } from '../../src/registry/evaluations.ts'
import { evaluationReport } from '../../src/web/evaluation-report.ts'
import { uniform } from '../charts/sample.ts'
import { hasBrowser, openBrowser, seriousFindings, visit } from './browser.ts'
import { register } from './history.ts'
import { openSite, type Site, usersOf } from './site.ts'

const VIC = 'vic@example.com'
/** As long as names get. */
const LONG = 'a_segment_whose_name_has_forty_characters'
const HASH = 'c5c8ed9d8df710b408dd78670531e81d0c5641f9a877b09adb57a6858f5846af'

let site: Site
let first: EvaluationRecord
let second: EvaluationRecord
let old: EvaluationRecord
beforeAll(async () => {
  site = await openSite({ users: usersOf({ [VIC]: 'viewer' }) })
  for (const version of [1, 2, 3]) await register(site.database.pool, version)
  first = await record(1, reportOf(sampleOf(1), undefined))
  second = await record(2, reportOf(sampleOf(2), sampleOf(1)))
  old = await record(3, { auc: 0.7, rows: 10, passed: true })
})
afterAll(() => site?.close())

function sampleOf(version: number): Sample {
  const next = uniform(7)
  const truth = Float64Array.from({ length: 2_000 }, next)
  const labels = Float64Array.from(truth, (value) => (next() < value / 2 ? 1 : 0))
  const noise = uniform(version)
  return { labels, scores: truth.map((value) => (value + noise() / version) / 2) }
}

function reportOf(sample: Sample, champion: Sample | undefined) {
  const values = [`${'north'.repeat(8)}`, 'south <b>']
  const parts = values.map((value, index) => ({
    key: { segment: LONG, value },
    rows: Array.from({ length: 1_000 }, (_, row) => 2 * row + index),
  }))
  const {
    parts: measured,
    rival,
    ...facts
  } = measure({
    sample,
    entities: Uint32Array.from(sample.scores, (_, row) => row),
    entityCount: sample.scores.length,
    parts,
    rival: champion?.scores,
    k: 0.1,
    seed: 1,
    resamples: 20,
  })
  return {
    ...facts,
    ...facts.metrics,
    entities: 2_000,
    as_of: ['2026-05-01'],
    k: 0.1,
    curves: {
      version: curvesOf('classification', sample),
      champion: champion === undefined ? null : curvesOf('classification', champion),
    },
    by_as_of: [
      {
        as_of: '2026-05-01',
        rows: 2_000,
        metrics: facts.metrics,
        intervals: facts.intervals,
        champion: rival?.metrics ?? null,
      },
    ],
    by_segment: measured.map(({ key, rival: own, ...part }) => ({ ...key, ...part, champion: own })),
    against_champion: rival === null ? null : { version: 1, ...rival },
    requirements: [{ passed: true, message: 'auc: expected at least 0.5, got: 0.7' }],
  }
}

function record(version: number, report: object): Promise<EvaluationRecord> {
  return recordEvaluation(
    site.database,
    { model: 'value', version, dataset: '3e8078931979', by: null, passed: true, report },
    { metrics: { auc: 0.7 }, sha256: HASH, rows: 2_000 },
  )
}

const PICTURES = [
  'ROC',
  'Precision and recall',
  'Gains',
  'Lift',
  'Calibration',
  'Scores by class',
  'ROC AUC by as-of',
  `ROC AUC by ${LONG}`,
]

describe.skipIf(!hasBrowser)('the page of an evaluation', () => {
  let browser: Browser
  let page: Page
  let complaints: string[]
  beforeAll(async () => {
    browser = await openBrowser()
    ;({ page, complaints } = await visit(browser, site.url, VIC, { width: 390, bypassCSP: true }))
  })
  afterAll(() => browser?.close())
  const open = async (path: string) => {
    await page.goto(site.url + path)
    return page.locator('main').innerText()
  }

  test('shows every picture with a sentence, beside the champion, and fits a phone in light and dark', async () => {
    const text = await open(`/registry/value/evaluations/${second.id}`)
    expect(await page.locator('.figure h2').allInnerTexts()).toEqual(PICTURES)
    expect(text).toMatch(
      /ROC AUC 0\.\d+ \(0\.\d+ to 0\.\d+\); champion version 1: 0\.\d+; a random order has 0\.5\./,
    )
    expect(text).toMatch(
      /The highest-scored 10 % of the rows hold \d+ % of the positives; champion version 1: \d+ %\./,
    )
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
      expect(await seriousFindings(page)).toEqual([])
    }
    expect(complaints).toEqual([])
  })

  test('is reached from the registry, where versions stand side by side and nothing is raw', async () => {
    const text = await open('/registry/value')
    expect(text).toMatch(/version 3[\s\S]*version 2[\s\S]*version 1/)
    await page.getByText('Evidence', { exact: true }).first().click()
    expect(await page.locator('main').innerText()).not.toMatch(/[{}]|[0-9a-f]{64}/)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await page.getByRole('link', { name: 'version 2' }).click()
    await page.waitForURL(`**/registry/value/evaluations/${second.id}`)
  })

  test('compares with the evaluation of another version', async () => {
    await open(`/registry/value/evaluations/${first.id}`)
    await page
      .getByRole('navigation', { name: 'Compare with' })
      .getByRole('link', { name: 'version 2' })
      .click()
    await page.waitForURL(`**/evaluations/${first.id}?with=${second.id}`)
    expect(await page.locator('main').innerText()).toMatch(/ROC AUC 0\.\d+ \(.*\); version 2: 0\.\d+;/)
  })

  test('one that was recorded before curves were kept has its figures, and says so', async () => {
    const text = await open(`/registry/value/evaluations/${old.id}`)
    expect(text).toMatch(/ROC AUC[\s\S]*0\.7[\s\S]*recorded before they were kept/)
  })
})

test('an evaluation that is not there, or of another model, is missing', async () => {
  const cookie = await site.signIn(VIC)
  for (const path of [
    '/registry/value/evaluations/999',
    '/registry/value/evaluations/x',
    `/registry/other/evaluations/${first.id}`,
  ])
    expect((await site.ask(path, { cookie })).status, path).toBe(404)
})

test('the report is one file that loads nothing and runs no script', async () => {
  const project = openProject(site.project.root)
  const [model] = Object.values(project.models)
  if (model === undefined) throw new Error('expected a model')
  const text = await evaluationReport(project, model, second)
  for (const title of PICTURES) expect(text).toContain(`<h2>${title}</h2>`)
  expect(text).toContain('k: the highest 10 % of the rows')
  expect(text).not.toMatch(/<script|<link rel="stylesheet"|<img|src=|south <b>/)
  expect(text).toContain(`href="http://localhost:8080/registry/value/evaluations/${second.id}"`)
})
