import { clockTime } from '../../format/clock-time.ts'
import { withSession } from '../../host/session.ts'
import { modelNamed } from '../../project/named.ts'
import { gateOnRecord } from '../../readiness/gate-on-record.ts'
import { type HistoryEntry, historyOf } from '../../registry/history-records.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

export default function history([name = '']: string[], options: GlobalOptions): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const model = modelNamed(project, name)
    const entries = await historyOf(database.pool, model.name)
    if (options.json) printJson(entries)
    else if (entries.length === 0) printLine(`no events of ${model.name} yet`)
    else {
      printTable(
        ['at', 'event', 'version', 'from', 'by', 'reason', 'evidence'],
        entries.map((entry) => [
          clockTime(entry.at, project.timezone),
          entry.event,
          entry.version,
          entry.from_version,
          entry.by,
          entry.reason,
          evidenceOf(entry),
        ]),
        { below: 'evidence' },
      )
    }
    return 0
  })
}

/** A short summary; `--json` prints all of it. */
function evidenceOf({ event, evidence }: HistoryEntry): string {
  switch (event) {
    case 'registered':
      return evidence.dataset === undefined ? 'no training set' : `training set ${evidence.dataset}`
    case 'evaluated':
      return `holdout of ${evidence.dataset}, ${evidence.rows} rows`
    case 'shadow started':
    case 'shadow stopped':
    case 'withdrawn':
      return ''
    case 'promoted':
      return [evaluationOf(evidence), gateOnRecord(evidence)?.text].filter(Boolean).join('; ')
    case 'rolled back': {
      const nights = Array.isArray(evidence.republished) ? evidence.republished.map(String) : []
      return nights.length === 0 ? '' : `its scores of ${nights.join(', ')} were available`
    }
  }
}

function evaluationOf({ evaluation }: HistoryEntry['evidence']): string {
  if (evaluation === undefined) return ''
  return evaluation === 'none' ? 'never evaluated' : `evaluation ${evaluation}`
}
