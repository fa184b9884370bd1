import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

/** What figures are from. Seconds of two machines cannot be compared, ratios can. */
export interface Machine {
  processor: string
  cores: number
  memory_gb: number
  node: string
  /** Of the last minute, when the measurement began: more than 1 says that others were at work. */
  load: number
  /** YYYY-MM-DD. */
  date: string
}

export function thisMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory_gb: Math.round(totalmem() / 1e9),
    node: process.version,
    load: Math.round(10 * (loadavg()[0] ?? 0)) / 10,
    date: new Date().toISOString().slice(0, 10),
  }
}
