import { runCommands } from '../../alerts/letters/run-commands.ts'
import { clockTime } from '../../format/clock-time.ts'
import { duration } from '../../format/elapsed.ts'
import { ofAnyAttempt } from '../../format/message-shape.ts'
import { messageText } from '../../format/message-text.ts'
import { shortFraction } from '../../format/numbers.ts'
import { usageText } from '../../format/sizes.ts'
import { withSession } from '../../host/session.ts'
import type { Database } from '../../ledger/connection/database.ts'
import { pathOf } from '../../ledger/nights/published.ts'
import type { Attempt, Run } from '../../ledger/nights/run-records.ts'
import { slotOfRun } from '../../ledger/nights/runs-of-slot.ts'
import { slotTitle } from '../../ledger/nights/slots.ts'
import { shardsOf } from '../../ledger/shards/split-records.ts'
import { type Certificate, certificateOf } from '../../monitoring/parity/record.ts'
import { verdictHistory } from '../../monitoring/trust/verdict-history.ts'
import { type Verdict, verdictsOfRun } from '../../monitoring/trust/verdict-records.ts'
import type { Check, InputFile, UnknownValues } from '../../pipeline/engine/facts.ts'
import { withParts } from '../../pipeline/engine/step-parts.ts'
import { scoreTitle } from '../../pipeline/onnx/score-output.ts'
import { unknownText } from '../../pipeline/scoring/judge-unknown.ts'
import type { Project } from '../../project/project.ts'
import { versionsOf } from '../../registry/model-versions.ts'
import { findVersion, type Version } from '../../registry/version-records.ts'
import { shardFacts } from '../../workers/shards/shard-facts.ts'
import type { GlobalOptions } from '../command.ts'
import { runMeant } from '../terminal/find.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { printShards } from '../terminal/print-shards.ts'
import { runRecord } from '../terminal/run-json.ts'

export default function show([id = '']: string[], options: GlobalOptions): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const { run, attempts } = await runMeant(database.pool, project, id)
    const certificate = await certificateOf(database.pool, run.id)
    const scored = run.kind === 'scores' && run.version !== null
    const version = scored ? await findVersion(database.pool, run.name, run.version ?? 0) : undefined
    const verdicts = await verdictsOfRun(database.pool, run.id)
    const shards = (await shardsOf(database.pool, run.id)).map(shardFacts)
    if (options.json) {
      const parity = certificate && { ...certificate.report, checked_at: certificate.checked_at }
      printJson({
        ...runRecord(project, run, attempts),
        score: version === undefined ? null : scoreTitle(version.mapping.output),
        parity: parity ?? null,
        verdicts,
        shards,
      })
    } else {
      printRun(project, run, attempts, version)
      printVerdicts(verdicts, project)
      printShards(shards)
      await printNext(database, project, run)
      if (certificate !== undefined) printCertificate(project, certificate)
    }
    return 0
  })
}

/** Prints a run as text: what it is, how it ended, and why. */
export function printRun(project: Project, run: Run, attempts: Attempt[], version?: Version): void {
  const at = (iso: string | null) => clockTime(iso, project.timezone)
  printLine(`run ${run.id}: ${slotTitle(run)}`)
  printLine(`  state      ${run.state}${run.reason === null ? '' : `: ${run.reason}`}`)
  if (run.version !== null) printLine(`  version    ${run.version}`)
  if (version !== undefined) printLine(`  score      ${scoreTitle(version.mapping.output)}`)
  printLine(`  requested  ${at(run.created_at)} by ${run.requested_by ?? run.trigger}`)
  if (run.started_at !== null) printLine(`  started    ${at(run.started_at)}`)
  if (run.ended_at !== null) printLine(`  ended      ${at(run.ended_at)}`)
  if (run.next_attempt_at !== null) printLine(`  next try   ${at(run.next_attempt_at)}`)
  if (run.rows !== null) printLine(`  rows       ${run.rows}`)
  if (run.path !== null) printLine(`  file       ${pathOf(project, run)}`)
  if (run.failure !== null) {
    printLine(`  failure    ${run.failure.class}: ${messageText(run.failure.message, project.timezone)}`)
    for (const text of linesOf(run.failure.evidence)) printLine(`             ${text}`)
    printLine(`  runbook    ${runbookOf(project, run)}${run.failure.anchor}`)
  }
  for (const warning of run.warnings) printLine(`  warning    ${warning}`)
  printAttempts(attempts, project, run.failure?.message)
  printChecks(run.checks, run.pruned_at ?? null, project)
  printUnknown(run.unknown_values)
  printInputs(run.inputs, at)
}

/** Prints what can be done about a run, if it is the latest of its night. */
export async function printNext({ pool }: Database, project: Project, run: Run): Promise<void> {
  const slot = await slotOfRun(pool, run.id)
  if (slot?.run !== run.id) return
  const versions = run.kind === 'scores' ? await versionsOf(pool, run.name) : undefined
  const next = runCommands(project, run, versions, 'YOU')
  if (next.length === 0) return
  printLine('\nnext:')
  for (const { why, command } of next) printLine(`  ${why}:\n    ${command}`)
}

function printCertificate({ timezone }: Project, { differing, report, checked_at }: Certificate): void {
  const result =
    differing === null
      ? 'could not be checked'
      : `${report.values} values, ${differing} differing, ${report.late} late`
  printLine(`\nparity: ${result} (${clockTime(checked_at, timezone)})`)
}

/** What readers were told about the list: the answer now, and how it changed. */
function printVerdicts(verdicts: Verdict[], { timezone }: Project): void {
  const standing = verdicts.at(-1)
  if (standing === undefined) return
  const why = standing.why === '' ? '' : `: ${messageText(standing.why, timezone)}`
  printLine(`\nmay this list be used? ${standing.answer}, since ${clockTime(standing.since, timezone)}${why}`)
  for (const change of verdictHistory(verdicts, timezone)) printLine(`  ${change}`)
}

/** Evidence that spans several lines, such as the differences between two versions of a view. */
function linesOf(evidence: Record<string, unknown>): string[] {
  return Object.entries(evidence).flatMap(([key, value]) =>
    key !== 'stack' && typeof value === 'string' && value.includes('\n') ? value.split('\n') : [],
  )
}

/** `failed`: the message of the run's failure, which is not repeated. */
function printAttempts(attempts: Attempt[], project: Project, failed: string | undefined): void {
  const said = failed === undefined ? undefined : ofAnyAttempt(failed)
  for (const attempt of attempts) {
    printLine('')
    const outcome = attempt.outcome ?? 'running'
    const why =
      attempt.failure === null
        ? ''
        : `: ${attempt.failure.class}: ${ofAnyAttempt(attempt.failure.message) === said ? 'as above' : messageText(attempt.failure.message, project.timezone)}`
    printLine(
      `attempt ${attempt.number}, ${clockTime(attempt.started_at, project.timezone)}, ${outcome}${why}`,
    )
    if (attempt.usage !== null) printLine(`  ${usageText(attempt.usage)}`)
    for (const { step, ms, parts } of withParts(attempt.steps)) {
      printLine(`  ${duration(ms).padStart(9)}  ${step}`)
      for (const part of parts) printLine(`  ${duration(part.ms).padStart(9)}    ${part.step}`)
    }
    for (const line of attempt.failure?.stack?.split('\n') ?? []) printLine(`    ${line}`)
  }
}

function printChecks(checks: Check[], prunedAt: string | null, { timezone, retention }: Project): void {
  if (prunedAt !== null)
    printLine(
      `\nexpectations that were met were pruned ${clockTime(prunedAt, timezone)} (retention.runs: ${retention.runs.text} in nightshift.yaml)`,
    )
  if (checks.length === 0) return
  const failed = checks.filter((check) => !check.passed)
  printLine(
    `\nexpectations: ${prunedAt === null ? `${checks.length - failed.length} met, ` : ''}${failed.length} failed`,
  )
  for (const check of failed) {
    printLine(`  ${check.message}`)
    for (const sample of check.samples) {
      printLine(
        `    ${Object.entries(sample)
          .map(([column, value]) => `${column} ${shortFraction(value)}`)
          .join(', ')}`,
      )
    }
  }
}

function printUnknown(found: UnknownValues[]): void {
  if (found.length === 0) return
  printLine('\nvalues unknown to the model')
  for (const each of found) printLine(`  ${unknownText(each)}`)
}

/** One line per source, with its newest file: `--json` lists all files. */
function printInputs(inputs: InputFile[], at: (iso: string | null) => string): void {
  if (inputs.length === 0) return
  const sources = [...new Set(inputs.map((input) => input.source))]
  printLine('')
  printTable(
    ['input', 'files', 'rows', 'newest row', 'newest file'],
    sources.map((source) => {
      const files = inputs.filter((input) => input.source === source)
      const newest = files.reduce((best, file) => ((file.newest ?? '') > (best.newest ?? '') ? file : best))
      const rows = files.reduce((sum, file) => sum + file.rows, 0)
      return [source, files.length, rows, at(newest.newest), newest.path]
    }),
  )
}

function runbookOf(project: Project, run: Run): string {
  return run.kind === 'scores' ? `models/${run.name}/RUNBOOK.md` : runbookOfView(project, run.name)
}

function runbookOfView(project: Project, view: string): string {
  const model = Object.values(project.models).find((each) => each.view === view)
  return model === undefined ? 'RUNBOOK.md' : `models/${model.name}/RUNBOOK.md`
}
