import type { Gate } from '../../readiness/gate.ts'
import { printLine } from './print.ts'

/** Item by item with its evidence, and below each that fails the command that would fix it. */
export function printGate({ model, version, champion, items, ready }: Gate): void {
  const subject =
    version === null
      ? `${model} has no version yet`
      : `version ${version} of ${model}${version === champion ? ', the champion' : ''}`
  printLine(subject)
  printLine()
  const width = Math.max(...items.map(({ title }) => title.length))
  for (const { status, title, evidence, fix } of items) {
    printLine(`${status.padEnd(6)}  ${title.padEnd(width)}  ${evidence}`)
    if (status !== 'pass' && fix !== null) printLine(`${' '.repeat(width + 8)}  fix: ${fix}`)
  }
  printLine()
  const passed = items.filter(({ status }) => status === 'pass').length
  printLine(`${passed} of ${items.length}${ready ? ': ready' : ': not ready'}`)
}
