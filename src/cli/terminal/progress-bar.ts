import { writeSync } from 'node:fs'
import { MultiBar, type SingleBar } from 'cli-progress'
import { printable } from '../../project/files/value-text.ts'

export interface ProgressView {
  /** Shows the progress of a run. A repeated text is printed once; `detail` changes more often, and stands behind bars alone. */
  show(
    id: string,
    title: string,
    text: string,
    progress: { rows?: number; total?: number; detail?: string } | null,
  ): void
  close(): void
}

/** What bars change while they are shown, restored however the process ends. */
const SHOW_CURSOR_AND_WRAP = '\x1b[?25h\x1b[?7h'

/** A bar for each run on a terminal, plain lines elsewhere; both on standard error, so that standard output has only data. */
export function openProgress(quiet: boolean): ProgressView {
  if (quiet) return { show: () => {}, close: () => {} }
  return process.stderr.isTTY === true ? bars() : lines()
}

interface Said {
  title: string
  text: string
  detail?: string | undefined
}

/** The line of a bar, as much of it as a terminal shows: of what is counted, how fast it goes and the time left matter most. */
export function barLine({ title, text, detail }: Said, progress: number, columns: number): string {
  const percent = `${Math.floor(progress * 100)}%`
  const bar = (size: number) => {
    const done = Math.round(size * progress)
    return `${'='.repeat(done)}${'-'.repeat(size - done)} ${percent}`
  }
  const all = detail === undefined ? text : `${text}, ${detail}`
  const most = detail ?? text
  const lines = [
    `${title}  ${bar(20)}  ${all}`,
    `${title}  ${bar(10)}  ${all}`,
    `${title}  ${percent}  ${all}`,
    `${title}  ${bar(10)}  ${most}`,
    `${title}  ${percent}  ${most}`,
    `${percent}  ${all}`,
  ]
  return lines.find((line) => line.length < columns) ?? `${percent}  ${most}`
}

function bars(): ProgressView {
  const multi = new MultiBar({
    format: (_options, { progress }, said: Said) => barLine(said, progress, process.stderr.columns ?? 80),
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
    // Its own handler would restore the terminal and keep the process from ending: the exit restores it.
    gracefulExit: false,
  })
  const restore = () => writeSync(process.stderr.fd, SHOW_CURSOR_AND_WRAP)
  process.once('exit', restore)
  const all = new Map<string, SingleBar>()
  return {
    show(id, title, text, progress) {
      const total = progress?.total ?? 0
      const over = text === 'published'
      const bar = all.get(id) ?? multi.create(1, 0, { title, text } satisfies Said)
      all.set(id, bar)
      bar.setTotal(total > 0 ? total : 1)
      const said: Said = { title, text, detail: progress?.detail }
      bar.update(over ? bar.getTotal() : total > 0 ? (progress?.rows ?? 0) : 0, said)
    },
    close: () => {
      multi.stop()
      process.removeListener('exit', restore)
    },
  }
}

/** Of what is counted a line each this often; its begin and its end at once. */
const COUNTED_MS = 10_000

function lines(): ProgressView {
  const printed = new Map<string, { text: string; at: number }>()
  return {
    show(id, title, text, progress) {
      const before = printed.get(id)
      if (before?.text === text) return
      const { rows = 0, total = 0, detail } = progress ?? {}
      const now = performance.now()
      if (before !== undefined && rows < total && now - before.at < COUNTED_MS) return
      printed.set(id, { text, at: now })
      const words = detail === undefined ? text : `${text}, ${detail}`
      process.stderr.write(printable(`${title}: ${words}\n`))
    },
    close: () => {},
  }
}
