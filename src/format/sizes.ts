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

/** `peak memory 1.4 GB of 5.9 GB, spilled 3.2 GB`, of bytes. `limit` is null where there was none. */
export function usageText(usage: { memory: number; limit: number | null; spilled: number | null }): string {
  const limit = usage.limit === null ? '' : ` of ${bytes(usage.limit)}`
  const spilled = usage.spilled === 0 ? ', spilled nothing' : `, spilled ${bytes(usage.spilled ?? 0)}`
  return `peak memory ${bytes(usage.memory)}${limit}${usage.spilled === null ? '' : spilled}`
}
