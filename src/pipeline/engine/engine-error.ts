/** What DuckDB says of an error, without the stack trace of its own code. */
export interface EngineError {
  /** `Parser`, `Binder`, `Catalog`, `Conversion`, `Invalid Input`, `IO`, `Out of Memory`, `INTERNAL`, ... */
  type: string
  message: string
  /** Byte offset into the SQL, where it is known. */
  position: number | undefined
  /** Names that DuckDB offers instead. */
  candidates: string[]
  /** The name that was not found. */
  name: string | undefined
}

const PLAIN = /^(?:[\w ]+ Error: )?([A-Z][\w ]*?) Error: ([\s\S]*)$/

/** Reads an error of DuckDB's, as JSON (`errors_as_json`) or as text; undefined for any other error. */
export function readEngineError(error: unknown): EngineError | undefined {
  if (!(error instanceof Error)) return undefined
  const json = /^(?:[\w ]+ Error: )?(\{[\s\S]*\})$/.exec(error.message)?.[1]
  if (json !== undefined) {
    const fields = parse(json)
    if (typeof fields.exception_type === 'string' && typeof fields.exception_message === 'string') {
      return {
        type: fields.exception_type,
        message: clean(fields.exception_message),
        position: typeof fields.position === 'string' ? Number(fields.position) : undefined,
        candidates: typeof fields.candidates === 'string' ? fields.candidates.split(/,\s*/) : [],
        name: typeof fields.name === 'string' ? fields.name : undefined,
      }
    }
  }
  const plain = PLAIN.exec(error.message)
  if (plain?.[1] === undefined || plain[2] === undefined) return undefined
  return { type: plain[1], message: clean(plain[2]), position: undefined, candidates: [], name: undefined }
}

function parse(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Without the trace and the advertisements that follow. */
function clean(message: string): string {
  return (
    message.split(
      /\n\s*(?:Stack Trace:|Possible (?:solutions?|fixes):|file = |See also |LINE \d+:|This error signals)/i,
    )[0] ?? ''
  )
    .replace(/\s*\n\s*/g, '; ')
    .replace(/[;.\s]+$/, '')
    .replaceAll('!;', ';')
}
