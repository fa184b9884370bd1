import { expect, test } from 'vitest'
import { beforeAfter } from '../../src/charts/before-after.ts'
import { renderSvg } from '../../src/charts/render.ts'
import { shortened, widthOf, wrapped } from '../../src/charts/shorten.ts'
import { hasBrowser, openBrowser } from '../web/browser.ts'
import { categoryProfile, normal, numberProfile } from './sample.ts'
import { parseXml } from './xml.ts'

const UNSEEN = '<script>alert(1)</script> gig worker of the WWWWWWWWWWWWWWWW company, Ltd'
const WORDS = {
  reference: 'same weekday of the last 4 weeks (2026-10-30, 2026-11-06, 2026-11-13, 2026-11-20)',
  tonight: '2026-11-27',
}
const long = 'a_column_of_which_the_name_says_everything_that_there_is_to_know_about_it'
const before = categoryProfile(long, { 'Self-emp\n"not" inc': 60, Private: 300 }, { nulls: 10 })
const after = categoryProfile(
  long,
  { 'Self-emp\n"not" inc': 20, Private: 140 },
  { nulls: 20, unseen: { [UNSEEN]: 200 } },
)

async function texts(width: number): Promise<string[]> {
  const svg = await renderSvg(beforeAfter(before, after, WORDS, width), { width, theme: 'light' })
  const found: string[] = []
  const walk = ({ name, text, children }: ReturnType<typeof parseXml>) => {
    if (name === 'text') found.push(text)
    children.forEach(walk)
  }
  walk(parseXml(svg))
  return found
}

test('a text that is too long keeps both of its ends, one that fits all of it', () => {
  expect(shortened('Private', 200)).toBe('Private')
  const short = shortened(UNSEEN, 150)
  expect(short).toMatch(/^<script>.*…/)
  expect(short).toMatch(/Ltd$/)
  expect(widthOf(short)).toBeLessThanOrEqual(150)
  expect(widthOf(`${short}W`)).toBeGreaterThan(150)
  expect(shortened('two\nlines', 200)).toBe('two lines')
  expect([...shortened('😀'.repeat(40), 60)].every((letter) => letter === '…' || letter === '😀')).toBe(true)
})

test('a long value is shortened in label and subtitle, which keeps its figures, and is whole for a screen reader', async () => {
  const said = await texts(420)
  const subtitle = said.find((text) => text.includes('→')) ?? ''
  expect(subtitle).toMatch(/^unseen: <scr.*….* 0 % → 53 % {3}null 2.7 % → 5.3 %$/)
  expect(said.filter((text) => text.startsWith('unseen: <'))).toHaveLength(2)
  expect(said.filter((text) => /^same weekday|370 rows$/.test(text))).toEqual([
    'same weekday of the last 4 weeks (2026-10-30, 2026-11-06,',
    '2026-11-13, 2026-11-20), 370 rows',
  ])
  const { description } = beforeAfter(before, after, WORDS, 420)
  expect(description).toContain(`unseen: ${UNSEEN} 0 % → 53 %`)
  expect(description).toContain(`${WORDS.reference}, 370 rows`)
})

test('a legend takes a second line, and leaves out whole words where that is not enough', async () => {
  const whole = await texts(600)
  expect(whole.filter((text) => /^same weekday|370 rows$/.test(text))).toEqual([
    'same weekday of the last 4 weeks (2026-10-30, 2026-11-06, 2026-11-13, 2026-11-20),',
    '370 rows',
  ])
  const words = ['nights', '2026-11-06,', '2026-11-13,', '2026-11-20,', '370 rows']
  expect(wrapped(words, 400)).toEqual(['nights 2026-11-06, 2026-11-13, 2026-11-20, 370 rows'])
  expect(wrapped(words, 220)).toEqual(['nights 2026-11-06, 2026-11-13,', '2026-11-20, 370 rows'])
  expect(wrapped(words, 150)).toEqual(['nights 2026-11-06,', '… 2026-11-20, 370 rows'])
  for (const pixels of [150, 220, 400]) {
    for (const line of wrapped(words, pixels)) expect(widthOf(line)).toBeLessThanOrEqual(pixels)
  }
  // A name that has no spaces is cut, and the rows stay.
  expect(wrapped(['W'.repeat(60), '370 rows'], 150)).toEqual([expect.stringMatching(/^W+…W+$/), '370 rows'])
  expect(wrapped(['nights', 'W'.repeat(60)], 150)).toEqual(['nights', expect.stringMatching(/^W+…W+$/)])
})

test('nulls that moved most are said once', () => {
  const full = categoryProfile('plan', { basic: 90, pro: 60 })
  const empty = categoryProfile('plan', { basic: 0, pro: 0 }, { nulls: 150 })
  const said = JSON.stringify(beforeAfter(full, empty, WORDS, 420).option.title)
  expect(said).toContain('basic 60 % → 0 %   null 0 % → 100 %')
  expect(said.match(/null/g)).toHaveLength(1)
})

test.skipIf(!hasBrowser)('no text of a picture is clipped', async () => {
  const browser = await openBrowser()
  try {
    const page = await browser.newPage()
    const numbers = numberProfile(long, normal(400, 40, 9, 1))
    for (const width of [420, 600]) {
      for (const [reference, tonight] of [
        [before, after],
        [numbers, numbers],
      ] as const) {
        const svg = await renderSvg(beforeAfter(reference, tonight, WORDS, width), { width, theme: 'light' })
        // The widest font that a page may be shown in.
        await page.setContent(`<body style="font-family: 'DejaVu Sans'">${svg}`)
        await page.evaluate("document.querySelector('svg').setAttribute('font-family', 'DejaVu Sans')")
        const clipped = await page.evaluate(
          `[...document.querySelectorAll('svg text')].filter((text) => {
             const [box, all] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()]
             return box.left < all.left || box.right > all.right
           }).map((text) => text.textContent)`,
        )
        expect({ width, clipped }).toEqual({ width, clipped: [] })
      }
    }
  } finally {
    await browser.close()
  }
})
