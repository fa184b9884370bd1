import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { kolmogorovSmirnov } from '../../../src/pipeline/drift/kolmogorov-smirnov.ts'
import { lInfinity } from '../../../src/pipeline/drift/l-infinity.ts'
import { psi } from '../../../src/pipeline/drift/psi.ts'
import { wasserstein } from '../../../src/pipeline/drift/wasserstein.ts'

const FILE = resolve(import.meta.dirname, '../../../../shared/golden/drift.json')

/** `linspace(1,100,110)+20.1`, `232/1100`, or the thing itself. */
const sample = z.union([z.array(z.number()), z.string().transform(linspace)])
const number = z.union([z.number(), z.string().transform(fraction)])
const golden = z.object({
  scipy: z.object({
    ks_2samp: z.array(
      z.object({
        x: sample,
        y: sample,
        D: number,
        p_two_sided: number,
        p_greater: number.optional(),
        p_less: number.optional(),
      }),
    ),
    wasserstein: z.array(
      z.object({
        u: z.array(z.number()),
        v: z.array(z.number()),
        uw: z.array(z.number()).exactOptional(),
        vw: z.array(z.number()).exactOptional(),
        W: z.number(),
      }),
    ),
  }),
  evidently: z.object({
    psi: z.array(
      z.object({
        reference: z.array(z.number()),
        current: z.array(z.number()),
        exact_by_their_code: z.number(),
      }),
    ),
  }),
  nannyml: z.object({ l_infinity: z.array(z.object({ ref: z.string(), cur: z.string(), d: z.number() })) }),
})

function linspace(text: string): number[] {
  const [, from = '', to = '', count = '', more = '0'] =
    /^linspace\((\d+),(\d+),(\d+)\)(?:\+([\d.]+))?$/.exec(text) ?? []
  const [low, high, n] = [Number(from), Number(to), Number(count)]
  return Array.from({ length: n }, (_, index) => low + ((high - low) * index) / (n - 1) + Number(more))
}

function fraction(text: string): number {
  const [above, below] = text.split('/').map(Number)
  return (above ?? Number.NaN) / (below ?? 1)
}

function counted(values: (number | string)[], bins: (number | string)[]): number[] {
  return bins.map((bin) => values.filter((value) => value === bin).length)
}

function both(a: (number | string)[], b: (number | string)[]): [number[], number[]] {
  const bins = [...new Set([...a, ...b])]
  return [counted(a, bins), counted(b, bins)]
}

if (!existsSync(FILE)) console.warn(`skipped: ${FILE} is not there`)

describe.skipIf(!existsSync(FILE))('numbers of other projects', () => {
  const text = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '{}'
  const read = golden.safeParse(JSON.parse(text))
  const { scipy, evidently, nannyml } = read.success
    ? read.data
    : {
        scipy: { ks_2samp: [], wasserstein: [] },
        evidently: { psi: [] },
        nannyml: { l_infinity: [] },
      }

  test('the file reads as expected', () => expect(read.error).toBeUndefined())

  test.each(scipy.ks_2samp)('ks_2samp of scipy: D $D, p $p_two_sided', (each) => {
    const { d, p } = kolmogorovSmirnov(each.x, each.y)
    expect(d).toBeCloseTo(each.D, 12)
    expect(p).toBeCloseTo(each.p_two_sided, 10)
    if (each.p_greater !== undefined)
      expect(kolmogorovSmirnov(each.x, each.y, 'greater').p).toBeCloseTo(each.p_greater, 10)
    if (each.p_less !== undefined)
      expect(kolmogorovSmirnov(each.x, each.y, 'less').p).toBeCloseTo(each.p_less, 10)
  })

  test.each(scipy.wasserstein)('wasserstein_distance of scipy: $W', ({ u, v, uw, vw, W }) => {
    const first = uw === undefined ? { values: u } : { values: u, weights: uw }
    const second = vw === undefined ? { values: v } : { values: v, weights: vw }
    expect(wasserstein(first, second)).toBeCloseTo(W, 12)
  })

  test.each(evidently.psi)('psi of Evidently: $exact_by_their_code', (each) => {
    expect(psi(...both(each.reference, each.current))).toBeCloseTo(each.exact_by_their_code, 12)
  })

  test.each(nannyml.l_infinity)('L-infinity of NannyML: $d', ({ ref, cur, d }) => {
    expect(lInfinity(...both([...ref], [...cur])).distance).toBeCloseTo(d, 2)
  })
})
