import { relative, sep } from 'node:path'
import { shownWarehouse } from '../project/object-path.ts'

/** Files of a warehouse that are written once and read by others. */
const READ = /^(?:features|scores|superseded|shadow|trials|models|datasets)\/.*\.(?:parquet|onnx)$/

/** Files of a warehouse within what a task is asked for: it reads them, and writes none of them. */
export function* filesRead(value: unknown, warehouse: string): Generator<string> {
  if (typeof value === 'string') {
    if (value.startsWith(`${warehouse}/`) && READ.test(value.slice(warehouse.length + 1))) yield value
  } else if (typeof value === 'object' && value !== null)
    for (const each of Object.values(value)) yield* filesRead(each, warehouse)
}

/** A sentence about a file of a warehouse that is expected and is not there: which, and what puts it back. */
export function missingFile(warehouse: string, path: string): string {
  return `${shownWarehouse(path)} is missing: somebody has removed it, or the warehouse is another one than the ledger describes. ${putBack(warehouse, path)}`
}

function putBack(warehouse: string, path: string): string {
  const [folder = '', name = '', part = ''] = relative(warehouse, path).split(sep)
  const label = part.replace('as_of=', '')
  switch (folder) {
    case 'features':
      return `nightshift refresh ${name} --as-of ${label} publishes it again, or computes it`
    case 'scores':
      return `nightshift run ${name} --as-of ${label} publishes it again, or computes it`
    case 'models':
      return `nightshift register ${name} FILE.onnx with the same file and the same --dataset puts it back; nightshift versions ${name} --json has the SHA-256 and training set of version ${part}`
    case 'datasets':
      return `nightshift dataset ${name} with the same nights builds it again`
    default:
      return 'It is kept once: only a copy of the warehouse has it'
  }
}
