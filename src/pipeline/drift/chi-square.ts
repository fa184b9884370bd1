import { total } from './psi.ts'

/**
 * p of Pearson's chi-square test of tonight's counts against the shares of the reference (Pearson 1900; scipy's
 * `chisquare` with the expected counts scaled to tonight's rows, as Evidently calls it). Rows where nothing is expected give 0.
 */
export function chiSquare(reference: number[], tonight: number[]): number {
  const scale = total(tonight) / total(reference)
  let statistic = 0
  let bins = 0
  for (const [bin, count] of reference.entries()) {
    const seen = tonight[bin] ?? 0
    const expected = count * scale
    if (expected === 0 && seen > 0) return 0
    if (expected === 0) continue
    bins++
    statistic += (seen - expected) ** 2 / expected
  }
  return bins < 2 ? 1 : upperGamma((bins - 1) / 2, statistic / 2)
}

/** Regularized upper incomplete gamma function: series below a + 1, else continued fraction (Numerical Recipes 6.2). */
function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1
  const front = Math.exp(-x + a * Math.log(x) - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < 1000 && term > sum * 1e-16; n++) {
      term *= x / (a + n)
      sum += term
    }
    return 1 - front * sum
  }
  let b = x + 1 - a
  let c = 1e300
  let d = 1 / b
  let fraction = d
  for (let n = 1; n < 1000; n++) {
    const step = -n * (n - a)
    b += 2
    d = 1 / (step * d + b)
    c = b + step / c
    fraction *= d * c
    if (Math.abs(d * c - 1) < 1e-15) break
  }
  return front * fraction
}

/** Lanczos 1964, with g = 7 and nine terms. */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const z = x - 1
  const sum = LANCZOS.reduce((total, term, index) => total + term / (z + index + 1), 0.9999999999998099)
  const t = z + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum)
}

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
]
