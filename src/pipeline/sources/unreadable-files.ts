import { closeSync, openSync, readSync } from 'node:fs'
import type { Source } from '../../project/project.ts'
import { Failure } from '../engine/failure.ts'
import { literal } from '../engine/quote.ts'
import type { FoundFile, UnreadablePath } from './glob.ts'

/** What a source's path names and what cannot be read as Parquet. */
export interface Unreadable extends UnreadablePath {
  /** As people are shown it: relative to the project's root where it lies within. */
  shown: string
  /** Values of hive keys, as in the path. */
  keys: Map<string, string>
  /** Another format: to wait for it to be written to its end is of no use. */
  isForeign?: boolean
}

/** How long a file may still be being written after its last change, where the source does not say `settle`. */
const SETTLE_MS = 5 * 60_000
/** A format is recognized by this many bytes. */
const HEAD = 4096
const TEXT = /\.(csv|tsv|json|jsonl|ndjson)(?:\.gz|\.zst)?$/i

/** What keeps a file from being read, from what reading its footer threw; throws what is no fault of the file. */
export function whyUnreadable(
  file: FoundFile,
  shown: string,
  error: unknown,
  format: Source['format'] = 'parquet',
): Pick<Unreadable, 'why' | 'isForeign'> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EACCES' || code === 'EPERM')
    return { why: 'may not be read by the user that Nightshift runs as: give it the permission' }
  if (!(error instanceof Failure) || error.failureClass !== 'contract') throw error
  if (file.size === 0) return { why: 'is empty: it has 0 bytes' }
  if (error.evidence.isNamed === true)
    return { why: `does not have what select and types name: ${error.message}`, isForeign: true }
  if (format !== 'parquet') return { why: `cannot be read as ${format.toUpperCase()}: ${error.message}` }
  const other = textFormat(file)
  if (other === undefined) return { why: error.message }
  return {
    why: `is a ${other} file, and the source's files are Parquet. Say format: ${other.toLowerCase()} of the source; or convert it with this line of DuckDB: ${conversion(other, shown)}; then take the ${other} file out of the source's path`,
    isForeign: true,
  }
}

/**
 * Says of a source what its path names and what a cut cannot do without. The class is late-data where something was
 * changed so shortly before the moment of reading (milliseconds since 1970) that it may still be being written.
 */
export function unreadableFailure(
  name: string,
  source: Pick<Source, 'settle'>,
  unreadable: Unreadable[],
  readAt: number,
): Failure | undefined {
  const settle = source.settle?.ms ?? SETTLE_MS
  const isFresh = ({ modified, isForeign }: Unreadable) =>
    isForeign !== true && modified !== undefined && Math.abs(readAt - modified) < settle
  // Files that waiting will not repair are reported first.
  const first = unreadable.find((each) => !isFresh(each)) ?? unreadable[0]
  if (first === undefined) return undefined
  const more = unreadable.length === 1 ? '' : ` (and ${unreadable.length - 1} more)`
  const what = first.why.startsWith(first.shown) ? first.why : `${first.shown} ${first.why}`
  const fresh = isFresh(first)
  const advice = fresh
    ? `; it has changed within settle (${source.settle?.text ?? '5m'}), so it may still be being written`
    : ''
  return new Failure(fresh ? 'late-data' : 'contract', `source ${name}: ${what}${advice}${more}`, {
    evidence: {
      source: name,
      file: first.shown,
      unreadable: unreadable.slice(0, 20).map(({ shown }) => shown),
    },
  })
}

/** CSV or JSON by name or by content, undefined for all else. */
function textFormat(file: FoundFile): 'CSV' | 'JSON' | undefined {
  const named = TEXT.exec(file.path)?.[1]?.toLowerCase()
  if (named !== undefined) return named === 'csv' || named === 'tsv' ? 'CSV' : 'JSON'
  const head = headOf(file)
  if (head === undefined) return undefined
  if (/^\s*[{[]/.test(head)) return 'JSON'
  const [first = ''] = head.split(/\r?\n/)
  return first.length < head.length && /[,;\t|]/.test(first) ? 'CSV' : undefined
}

/** The beginning of a file that is text, undefined where it is not. */
function headOf({ path, size }: FoundFile): string | undefined {
  const bytes = new Uint8Array(Math.min(HEAD, size))
  const handle = openSync(path, 'r')
  try {
    const read = readSync(handle, bytes, 0, bytes.length, 0)
    // The last character may be cut in two, which a streaming decoder holds back.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, read), { stream: true })
    // Text has no control characters but those of its lines and tabs.
    const isText = !/\p{Cc}/u.test(text.replace(/[\t\n\v\f\r]/g, ''))
    return isText && !text.startsWith('PAR1') ? text : undefined
  } catch {
    return undefined
  } finally {
    closeSync(handle)
  }
}

function conversion(format: 'CSV' | 'JSON', shown: string): string {
  const bare = shown.replace(TEXT, '').replace(/\.(?:parquet|parq|pq)$/i, '')
  const target = `${bare}${shown === `${bare}.parquet` ? '.converted' : ''}.parquet`
  return `COPY (FROM read_${format.toLowerCase()}(${literal(shown)})) TO ${literal(target)} (FORMAT parquet)`
}
