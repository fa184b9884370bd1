import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Resvg } from '@resvg/resvg-js'
import { expect, test } from 'vitest'
import { beforeAfter } from '../../src/charts/before-after.ts'
import { COLOURS } from '../../src/charts/colours.ts'
import { fontFiles, renderPng, renderSvg } from '../../src/charts/render.ts'
import { scoreOverTime } from '../../src/charts/score-over-time.ts'
import { smallMultiple } from '../../src/charts/small-multiple.ts'
import { categoryProfile, normal, numberProfile } from './sample.ts'
import { parseXml } from './xml.ts'

const WORDS = { reference: 'holdout of 3f2a9c0b1d', tonight: '2026-11-22' }
const WIDTH = 600
const reference = numberProfile('monthly_charge', normal(4000, 40, 9, 1))
const tonight = numberProfile('monthly_charge', [...normal(900, 47, 11, 2), ...Array<null>(80).fill(null)], {
  edges: reference.edges,
})
const chart = beforeAfter(reference, tonight, WORDS, WIDTH)

test('a chart is a well-formed SVG that says what it shows', async () => {
  const svg = await renderSvg(chart, { width: 600, theme: 'page' })
  const root = parseXml(svg)
  expect(root.name).toBe('svg')
  expect(root.attributes).toMatchObject({ role: 'img', viewBox: '0 0 600 310' })
  expect(root.attributes['aria-label']).toMatch(/^monthly_charge: mean 40.03 → 4\d\.\d+; null 0 % → 8.2 %; /)
  expect(root.children.find(({ name }) => name === 'title')?.text).toBe('monthly_charge')
  expect(svg).toContain('2026-11-22, 980 rows')
})

test('a page may show it: no script, no style, and no id that another chart has', async () => {
  const other = beforeAfter(
    categoryProfile('plan', { basic: 5 }),
    categoryProfile('plan', { basic: 9 }),
    WORDS,
    WIDTH,
  )
  const svgs = [
    await renderSvg(chart, { width: 600, theme: 'page' }),
    await renderSvg(other, { width: 600, theme: 'page' }),
  ]
  for (const svg of svgs) expect(svg).not.toMatch(/<style|<script|\sstyle=|\son\w+=|href=/)
  const ids = svgs.flatMap((svg) => [...svg.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
  expect(ids.length).toBeGreaterThan(0)
  expect(new Set(ids).size).toBe(ids.length)
})

test('names of columns and values are text, never markup', async () => {
  const strange = categoryProfile('a<b>"&', { '<script>alert(1)</script>': 3 })
  const svg = await renderSvg(beforeAfter(strange, strange, { reference: '<i>', tonight: '"x"' }, WIDTH), {
    width: 600,
    theme: 'page',
  })
  expect(svg).not.toMatch(/<script|<i>/)
  expect(parseXml(svg).attributes['aria-label']).toMatch(/^a<b>"&: /)
})

test('one SVG serves light and dark: every colour of a page is a custom property of the style sheet', async () => {
  const [page, light, dark] = await Promise.all(
    (['page', 'light', 'dark'] as const).map((theme) => renderSvg(chart, { width: 600, theme })),
  )
  expect(page?.match(/var\(--chart-[a-z]+,#[0-9a-f]{6}\)/g)?.length).toBeGreaterThan(10)
  expect([page, light, dark].join('')).not.toMatch(/#00fe[0-9a-f]{2}/i)
  expect(light).not.toBe(dark)
  expect(light).toContain(COLOURS.tonight[0])
  expect(dark).toContain(COLOURS.tonight[1])
  const css = readFileSync(resolve(import.meta.dirname, '../../src/web/style/charts.css'), 'utf8')
  for (const [name, [inLight, inDark]] of Object.entries(COLOURS)) {
    expect(css).toContain(`--chart-${name}: light-dark(${inLight}, ${inDark});`)
  }
})

test('colours that carry meaning have 3 : 1 at least against their paper, those of text 4.5 : 1', () => {
  const least = { paper: 0, line: 0, fill: 0, ink: 4.5, quiet: 4.5, mark: 4.5, good: 4.5 }
  for (const [name, colours] of Object.entries(COLOURS)) {
    colours.forEach((colour, theme) => {
      const bound = name in least ? least[name as keyof typeof least] : 3
      expect(contrast(colour, COLOURS.paper[theme] ?? ''), `${name} ${colour}`).toBeGreaterThanOrEqual(bound)
    })
  }
})

test('the PNG has its text, drawn by the bundled font', async () => {
  const png = await renderPng(chart, { width: 600 })
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1200, 620])
  const svg = await renderSvg(chart, { width: 600, theme: 'light' })
  const bare = new Resvg(svg, { background: '#ffffff', font: { loadSystemFonts: false } }).render()
  const drawn = new Resvg(svg, {
    background: '#ffffff',
    font: { fontFiles: fontFiles(), loadSystemFonts: false },
  }).render()
  // The title lies in the first 20 rows, where nothing else is drawn.
  const ink = (pixels: Buffer) => pixels.subarray(0, 600 * 4 * 20).filter((value) => value < 128).length
  expect(ink(bare.pixels)).toBe(0)
  expect(ink(drawn.pixels)).toBeGreaterThan(1000)
})

test('a night without values, rows or columns in common is drawn too', async () => {
  const none = numberProfile('monthly_charge', Array<null>(50).fill(null), { edges: reference.edges })
  const empty = numberProfile('monthly_charge', [], { edges: reference.edges })
  const constant = numberProfile('flag', Array<number>(50).fill(7))
  const text = categoryProfile('monthly_charge', { a: 3 }, { nulls: 2, unseen: { b: 1 } })
  const pairs = [
    [reference, none],
    [reference, empty],
    [empty, empty],
    [constant, constant],
    [reference, text],
    [text, categoryProfile('monthly_charge', {})],
  ] as const
  for (const [before, now] of pairs) {
    const drawn = beforeAfter(before, now, WORDS, WIDTH)
    expect(parseXml(await renderSvg(drawn, { width: 600, theme: 'light' })).name).toBe('svg')
    expect(drawn.description).not.toMatch(/NaN|undefined|Infinity/)
  }
  for (const [before, now] of [
    [reference, empty],
    [text, categoryProfile('monthly_charge', {})],
  ] as const) {
    const drawn = beforeAfter(before, now, WORDS, WIDTH)
    expect(drawn.description).toMatch(/^no rows tonight; /)
    expect(JSON.stringify(drawn.option.title)).toContain('"subtext":"no rows tonight"')
    expect(smallMultiple(before, now)).toMatch(/before and after: null [\d.]+ %, no rows tonight/)
  }
  expect(beforeAfter(reference, none, WORDS, WIDTH).description).toContain('null 0 % → 100 %')
})

test('a picture over time names its nights, its changes and what is missing', async () => {
  const labels = ['2026-11-01', '2026-11-02', '2026-11-03']
  const scores = [1, null, 3].map((seed) =>
    seed === null ? null : numberProfile('p', normal(200, 0.4, 0.1, seed), { score: true }),
  )
  const drawn = scoreOverTime({ labels, marks: [{ at: 2, text: 'v2', kind: 'champion' }] }, scores, {
    apart: [true, false, false],
  })
  expect(drawn.description).toMatch(
    /^3 nights from 2026-11-01 to 2026-11-03; median: from 0\.\d+ to 0\.\d+, last 0\.\d+; champion v2 from 2026-11-03$/,
  )
  expect(drawn.table?.rows.map(([night, , , median]) => [night, median === ''])).toEqual([
    ['2026-11-01', false],
    ['2026-11-02', true],
    ['2026-11-03', false],
  ])
  expect(await renderSvg(drawn, { width: 420, theme: 'page' })).toContain('>v2</text>')
})

test('the axis of scores that reach 1 ends at 1', async () => {
  const scores = Array.from({ length: 101 }, (_, index) => index / 100)
  const profile = numberProfile('p', [...Array<number>(20).fill(1), ...scores], { score: true })
  const labels = ['2026-11-01', '2026-11-02']
  const drawn = scoreOverTime({ labels, marks: [] }, [profile, profile], { apart: [false, false] })
  const svg = await renderSvg(drawn, { width: 420, theme: 'page' })
  for (const name of ['0', '0.25', '0.5', '0.75', '1']) expect(svg).toContain(`>${name}</text>`)
  expect(svg).not.toContain('>1.2</text>')
  const alone = numberProfile('p', [0.96], { score: true })
  const one = scoreOverTime({ labels, marks: [] }, [alone, null], { apart: [false, false] })
  expect(await renderSvg(one, { width: 420, theme: 'page' })).toContain('>0.75</text>')
})

test('a process that has drawn ends by itself', () => {
  const script = `
    import { beforeAfter } from './src/charts/before-after.ts'
    import { renderPng } from './src/charts/render.ts'
    import { numberProfile } from './test/charts/sample.ts'
    const profile = numberProfile('a', [1, 2, 3])
    const png = await renderPng(beforeAfter(profile, profile, { reference: 'a', tonight: 'b' }, 600), { width: 600 })
    console.log(png.length > 1000)`
  const printed = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: resolve(import.meta.dirname, '../..'),
    encoding: 'utf8',
    timeout: 50_000,
  })
  expect(printed.trim()).toBe('true')
})

/** Of two colours, as WCAG 2 computes it. */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
