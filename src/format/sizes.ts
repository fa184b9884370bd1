const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** `350 B`, `1.4 MB`, `12 GB`: units of a thousand. */
export function bytes(value: number): string {
  let power = 0
  let scaled = value
  while (power + 1 < UNITS.length && Math.round(scaled) >= 1000) {
    scaled /= 1000
    power++
  }
  return `${scaled.toFixed(power === 0 || scaled >= 9.95 ? 0 : 1)} ${UNITS[power]}`
}
