/**
 * How many of `n` trials of probability `p` succeed, drawn exactly: by inversion where few do (Kachitvichyanukul and
 * Schmeiser 1988, BINV), else by transformed rejection (Hörmann 1993, BTRS).
 */
export function binomial(n: number, p: number, random: () => number): number {
  if (p > 0.5) return n - binomial(n, 1 - p, random)
  if (n <= 0 || !(p > 0)) return 0
  return n * p < 10 ? inversion(n, p, random) : rejection(n, p, random)
}

function inversion(n: number, p: number, random: () => number): number {
  const ratio = p / (1 - p)
  const first = (1 - p) ** n
  for (;;) {
    let left = random()
    let probability = first
    let drawn = 0
    while (left > probability && drawn <= n) {
      left -= probability
      drawn++
      probability *= ((n - drawn + 1) / drawn) * ratio
    }
    // Rounding alone leaves a rest.
    if (drawn <= n) return drawn
  }
}

function rejection(n: number, p: number, random: () => number): number {
  const sd = Math.sqrt(n * p * (1 - p))
  const b = 1.15 + 2.53 * sd
  const a = -0.0873 + 0.0248 * b + 0.01 * p
  const center = n * p + 0.5
  const alpha = (2.83 + 5.1 / b) * sd
  const odds = p / (1 - p)
  const mode = Math.floor((n + 1) * p)
  for (;;) {
    const u = random() - 0.5
    const v = random()
    const us = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / us + b) * u + center)
    if (us >= 0.07 && v <= 0.92 - 4.2 / b) return k
    if (k < 0 || k > n) continue
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (n - mode + 1))) +
      (n + 1) * Math.log((n - mode + 1) / (n - k + 1)) +
      (k + 0.5) * Math.log((odds * (n - k + 1)) / (k + 1)) +
      stirling(mode) +
      stirling(n - mode) -
      stirling(k) -
      stirling(n - k)
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= bound) return k
  }
}

const TAIL = [
  0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
  0.0138761288230707, 0.0118967099458917, 0.010411265261972, 0.00925546218271273, 0.00833056343336287,
]

/** What Stirling's formula lacks of ln k!. */
function stirling(k: number): number {
  const known = TAIL[k]
  if (known !== undefined) return known
  const next = k + 1
  return (1 / 12 - (1 / 360 - 1 / 1260 / (next * next)) / (next * next)) / next
}

/** Draws counts of `n` rows over bins of these probabilities into `counts`, one conditional binomial a bin. */
export function multinomial(
  n: number,
  probabilities: ArrayLike<number>,
  counts: Float64Array,
  random: () => number,
): void {
  let rows = n
  let rest = 1
  const last = probabilities.length - 1
  for (let bin = 0; bin < last; bin++) {
    const p = probabilities[bin] ?? 0
    const drawn = rows === 0 ? 0 : binomial(rows, Math.min(1, p / rest), random)
    counts[bin] = drawn
    rows -= drawn
    rest = Math.max(1e-300, rest - p)
  }
  counts[last] = rows
}
