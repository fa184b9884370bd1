import { createRequire } from 'node:module'
import type { Logger, pino as Pino } from 'pino'
import { printable } from '../project/files/value-text.ts'

/**
 * Logs go to standard error, separate from a command's output: JSON lines, or readable lines on a terminal. Most commands
 * that look log nothing, so pino is loaded here.
 */
export function openLog(level: string): Logger {
  const terminal = process.stderr.isTTY === true
  const { pino }: { pino: typeof Pino } = createRequire(import.meta.url)('pino')
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (name) => ({ level: name }) },
    },
    terminal
      ? { write: (line) => process.stderr.write(printable(readable(line))) }
      : pino.destination({ fd: 2, sync: true }),
  )
}

/** For work that says itself what it does: without the lines of each night, unless a person asked for a level. */
export function openQuietLog(level: string): Logger {
  return openLog(level === 'info' ? 'silent' : level)
}

const LABELS: Record<string, string> = {
  trace: 'trace: ',
  debug: 'debug: ',
  warn: 'warning: ',
  error: 'error: ',
  fatal: 'fatal: ',
}

/** `02:00:14 churn 2026-11-22 started (run x1)`: time, level unless info, message, then the remaining fields. */
function readable(line: string): string {
  const { level, time, msg, slot, ...facts } = JSON.parse(line) as Record<string, unknown>
  const rest = Object.entries(facts)
    .filter(([key]) => key !== 'stack')
    .map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
  const what = [slot, msg].filter((part) => part !== undefined).join(': ')
  return `${String(time).slice(11, 19)}Z ${LABELS[String(level)] ?? ''}${what}${rest === '' ? '' : ` (${rest})`}\n`
}
