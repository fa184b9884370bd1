import type { Gate } from '../../readiness/gate.ts'
import { summaryOf } from '../../readiness/gate-on-record.ts'
import { printLine } from './print.ts'

/** Item by item with its evidence, and below each that fails the command that would fix it. `simulation`: whose evidence it is. */
export function printGate(gate: Gate, simulation?: string): void {
  const { model, version, champion, items, ready } = gate
  const subject =
    version === null
      ? `${model} has no version yet`
      : `version ${version} of ${model}${version === champion ? ', the champion' : ''}`
  printLine(subject)
  printLine()
  const width = Math.max(...items.map(({ title }) => title.length))
  for (const { status, title, evidence, fix, waiver } of items) {
    printLine(`${status.padEnd(6)}  ${title.padEnd(width)}  ${evidence}`)
    if (status === 'waived' && waiver !== null)
      printLine(`${' '.repeat(width + 8)}  waived until ${waiver.until} by ${waiver.by}: ${waiver.reason}`)
    if (status !== 'pass' && fix !== null) printLine(`${' '.repeat(width + 8)}  fix: ${fix}`)
  }
  if (simulation !== undefined && !ready)
    printLine(
      `\nEvidence of simulation ${simulation}: add --simulation ${simulation} to commands that take it; its nights go on with nightshift simulate --continue ${simulation} --to D`,
    )
  printLine()
  printLine(`${summaryOf(gate)}: ${ready ? 'ready' : 'not ready'}`)
}
