import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Project } from '../../src/project/project.ts'
import { hasBrowser, openBrowser, seriousFindings, visit } from './browser.ts'
import {
  closeOthers,
  DRIFTED,
  FAILED,
  FILES,
  firstModels,
  LONG,
  NEVER,
  NOON,
  ROLLED_BACK,
  RUNNING,
  TONIGHT,
  UNCOMPARED,
  writeLedger,
} from './fifty-models.ts'
import { openSite, type Site, usersOf } from './site.ts'

function withMore(whole: Project, number: number): Project {
  const [model] = Object.values(whole.models)
  if (model === undefined) return whole
  const more = Array.from({ length: number }, (_, index) => ({ ...model, name: `more_${index}` }))
  return {
    ...whole,
    models: { ...whole.models, ...Object.fromEntries(more.map((each) => [each.name, each])) },
  }
}

let site: Site
let browser: Browser | undefined
let shown = 50
/** Further models without a night. */
let added = 0
beforeAll(async () => {
  site = await openSite({
    users: usersOf({ ann: 'operator', vic: 'viewer' }),
    clock: () => NOON,
    files: FILES,
    part: (whole) => withMore(firstModels(whole, shown), added),
  })
  await writeLedger(site.database)
  if (hasBrowser) browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await site?.close()
})

const read = async (path: string, name = 'ann') =>
  (await site.ask(path, { cookie: await site.signIn(name) })).text()
const words = (markup: string) =>
  markup
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(' ,', ',')
    .trim()
/** The rows of the models, as name and words. */
const rowsOf = (page: string): [string, string][] => {
  const [, table = ''] = /<table class="stack models">([\s\S]*?)<\/table>/.exec(page) ?? []
  return [...table.matchAll(/<tr><th scope="row">([\s\S]*?)<\/th>([\s\S]*?)<\/tr>/g)].map(
    ([, name = '', rest = '']) => [words(name), words(rest)],
  )
}

test('of more than fifty the worst fifty are shown, all are counted, and the filter finds the others', async () => {
  added = 70
  try {
    const page = await read('/')
    expect(rowsOf(page)).toHaveLength(50)
    expect(rowsOf(page)[0]?.[0]).toBe(DRIFTED)
    expect(words(page)).toContain('The worst 50 of 120 models; the filter finds the others.')
    const [, tally = ''] = /<ul class="tally">([\s\S]*?)<\/ul>/.exec(page) ?? []
    expect(words(tally)).toContain('44 yes')
    expect([...page.matchAll(/<th scope="row"><span class="name">/g)].length).toBeLessThan(100)
    const found = await read('/?verdict=yes')
    expect(rowsOf(found)).toHaveLength(44)
    expect(words(found)).not.toContain('The worst 50')
  } finally {
    added = 0
  }
})

describe('fifty models', () => {
  test('are counted by verdict, and stand below each other, the worst first', async () => {
    const page = await read('/')
    const [, tally = ''] = /<ul class="tally">([\s\S]*?)<\/ul>/.exec(page) ?? []
    expect(words(tally)).toBe('44 yes 1 not yet 1 unknown 3 check first 1 no')
    const rows = rowsOf(page)
    expect(rows).toHaveLength(50)
    expect(rows.slice(0, 6).map(([name]) => name)).toEqual([
      DRIFTED,
      FAILED,
      ROLLED_BACK,
      LONG,
      UNCOMPARED,
      NEVER,
    ])
    const [drifted = '', failed = '', back = '', long = '', few = '', never = ''] = rows.map(
      ([, rest]) => rest,
    )
    expect(drifted).toContain(
      `No Its input has drifted: spend (PSI 0.3, threshold 0.1). ${TONIGHT}, version 2, 9 h 50 min old`,
    )
    expect(failed).toContain(
      `Check first ${TONIGHT} is missing. The night failed: out of memory 2026-03-02, version 2`,
    )
    expect(failed).toMatch(/#\d+ resource 2026-03-04 02:00 UTC$/)
    expect(back).toContain(`replaced by the earlier version 1. ${TONIGHT}, version 2`)
    expect(long).toContain('about this night is open: check not done.')
    expect(few).toContain('Unknown Not compared: not enough rows: there are 3, at least 50 are needed.')
    expect(never).toContain('nothing yet')
    expect(rows.find(([name]) => name === RUNNING)?.[1]).toMatch(/^Yes 2026-03-02, version 2/)
  })

  test('are found by verdict and by text, in the calendar too, and the nights keep the choice', async () => {
    const names = (page: string) =>
      [...page.matchAll(/<span class="name"><a [^>]*>([^<]*)</g)].map(([, name]) => name)
    const doubted = await read('/?verdict=check&days=14')
    expect(names(doubted)).toEqual([FAILED, ROLLED_BACK, LONG, 'view_1'])
    expect(doubted).toContain('href="/?verdict=check&amp;days=14&amp;until=2026-02-17">Earlier')
    expect(doubted).toContain('<option value="check" selected>')
    expect(names(await read('/?text=TEAM50%40'))).toEqual(['model_50', 'view_5'])
    expect(names(await read('/?text=team50%40&verdict=no'))).toEqual([])
    expect(await read('/?text=team50%40&verdict=no')).toContain('No model matches.')
    const wrong = await site.ask('/?verdict=perhaps', { cookie: await site.signIn('ann') })
    expect([wrong.status, words(await wrong.text())]).toEqual([
      400,
      expect.stringContaining('verdict: expected one of no, check, unknown, not yet, yes, got: perhaps'),
    ])
  })

  test('commands are shown to operators alone', async () => {
    expect(await read('/')).toContain('npx nightshift check')
    expect(await read('/', 'vic')).not.toMatch(/nightshift (check|promote|init)/)
  })
})

/** From many to one, since the incidents of the others are closed. */
describe.skipIf(!hasBrowser)('the overview in a browser', () => {
  // Takes 10 s and more: axe looks at fifty models with their nights, in two widths.
  test.each([50, 7, 1])(
    'of %i fits a phone and a screen, in light and in dark, with the nights near the top',
    async (number) => {
      if (browser === undefined) return
      shown = number
      await closeOthers(site.database, number)
      const { page, context } = await visit(browser, site.url, 'ann', { bypassCSP: true })
      for (const width of [390, 1440]) {
        await page.setViewportSize({ width, height: 900 })
        // Both widths have the same colours.
        for (const colorScheme of width === 390 ? (['light', 'dark'] as const) : (['light'] as const)) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
          await page.goto(`${site.url}/?days=14`)
          expect({ width, wide: await page.evaluate('document.documentElement.scrollWidth') }).toEqual({
            width,
            wide: width,
          })
          const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined
          expect({ width, colorScheme, findings: await seriousFindings(page, rules) }).toEqual({
            width,
            colorScheme,
            findings: [],
          })
        }
        const top = (selector: string) =>
          page.locator(selector).evaluate((each) => each.getBoundingClientRect().top)
        const [nights, models] = [await top('.calendar-box'), await top(number > 6 ? '.models' : '.verdict')]
        expect({ width, number, isFirst: nights < models }).toEqual({
          width,
          number,
          isFirst: width === 390 && number > 6,
        })
        // Above the calendar of a phone stand the counts, the filter and at most five incidents.
        if (width === 390) expect(nights).toBeLessThan(1600)
      }
      await context.close()
    },
  )
})
