import { expect, test } from 'vitest'
import { calibrationChart } from '../../../src/charts/evaluation/calibration-chart.ts'
import { classHistogram } from '../../../src/charts/evaluation/class-histogram.ts'
import { partsChart } from '../../../src/charts/evaluation/parts-chart.ts'
import { foundAt, gains, lift, precisionRecall, roc } from '../../../src/charts/evaluation/ranking-charts.ts'
import { renderSvg } from '../../../src/charts/render.ts'
import { parseXml } from '../xml.ts'

/** 100 rows with 10 positives, of which the best 20 rows hold 8. */
const ranking = { score: [0.9, 0.5, 0.1], rows: [10, 20, 100], positives: [5, 8, 10] }
const other = { score: [0.8, 0.2], rows: [50, 100], positives: [5, 10] }
const sides = [
  { name: 'version 2', ranking },
  { name: 'champion version 1', ranking: other },
] as const

test('between kept points the share of positives found lies on a straight line', () => {
  expect([0.05, 0.1, 0.15, 0.2, 0.6, 1].map((share) => foundAt(ranking, share))).toEqual(
    [0.25, 0.5, 0.65, 0.8, 0.9, 1].map((share) => expect.closeTo(share, 12)),
  )
})

test.each([
  ['ROC', roc, '10 %', ['10', '0.9', '5.6 %', '50', '0.8', '50 %']],
  ['Precision and recall', precisionRecall, '10 %', ['10', '0.9', '50 %', '50', '0.8', '10 %']],
  ['Gains', gains, '20 %', ['20', '0.5', '80 %', '50', '0.8', '50 %']],
  ['Lift', lift, '20 %', ['20', '0.5', '4', '50', '0.8', '1']],
])('%s draws both versions and has their figures as a table', async (title, chart, share, row) => {
  const drawn = chart([...sides], 'what it says')
  expect(drawn).toMatchObject({ title, description: 'what it says' })
  expect(drawn.table?.rows.find(([first]) => first === share)?.slice(1)).toEqual(row)
  const svg = await renderSvg(drawn, { width: 420, theme: 'page' })
  expect(parseXml(svg).attributes['aria-label']).toBe(`${title}: what it says`)
  expect(svg).toContain('>champion version 1</text>')
})

test('calibration, scores by class and parts are drawn from few and from strange values', async () => {
  const tenth = { rows: 1, mean_score: 0, realized: 0, low: null, high: null }
  const charts = [
    calibrationChart([{ name: 'version 1', tenths: [tenth] }], { unit: 'figure', description: 'one' }),
    classHistogram(
      {
        from: 3,
        to: 3,
        series: [
          { name: 'positives', mean: 3, counts: [1] },
          { name: 'negatives', mean: null, counts: [0] },
        ],
      },
      'one',
    ),
    partsChart({
      title: 'region',
      description: 'one',
      metric: 'ROC AUC',
      parts: [
        { name: `<b>${'long'.repeat(20)}`, rows: 3, value: null, low: null, high: null, other: null },
        { name: 'b', rows: 3, value: 0.5, low: 0.4, high: 0.6, other: 0.45 },
      ],
      whole: 0.5,
      sides: ['version 1', 'version 2'],
    }),
  ]
  for (const chart of charts) {
    const svg = await renderSvg(chart, { width: 420, theme: 'light' })
    expect(parseXml(svg).name).toBe('svg')
    expect(svg).not.toMatch(/NaN|undefined|<b>/)
  }
})
