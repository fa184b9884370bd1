export interface Token {
  kind: 'word' | 'quoted' | 'string' | 'number' | 'parameter' | 'symbol'
  /** As written. */
  text: string
  /** Index of its first character. */
  start: number
}

const PATTERNS: [Token['kind'] | 'skip', RegExp][] = [
  ['skip', /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y],
  ['string', /[eE]'(?:\\[\s\S]|''|[^'\\])*'/y],
  ['string', /[xX]?'(?:''|[^'])*'/y],
  ['string', /(\$[A-Za-z_]\w*\$|\$\$)[\s\S]*?\1/y],
  ['parameter', /\$\w+|\?/y],
  ['quoted', /"(?:""|[^"])*"/y],
  ['word', /[\p{L}_][\p{L}\p{N}_$]*/uy],
  ['number', /(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['symbol', /::|[<>!]=|<>|\|\||./suy],
]

/**
 * Splits SQL into its tokens, without comments and spaces. Good for finding places and the end of a statement;
 * what the SQL means is DuckDB's parser's to say.
 */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < sql.length) {
    for (const [kind, pattern] of PATTERNS) {
      pattern.lastIndex = at
      const text = pattern.exec(sql)?.[0]
      if (text === undefined) continue
      if (kind !== 'skip') tokens.push({ kind, text, start: at })
      at += text.length
      break
    }
  }
  return tokens
}

export interface Place {
  line: number
  column: number
}

/** Line and column, from 1, of a character. */
export function placeOf(sql: string, index: number): Place {
  const before = sql.slice(0, index)
  const line = before.split('\n').length
  return { line, column: index - before.lastIndexOf('\n') }
}

/** Index of the character at a byte offset, which is how DuckDB counts. */
export function indexOfByte(sql: string, offset: number): number {
  return Buffer.from(sql).subarray(0, offset).toString().length
}

/** The SQL without what follows its first statement's end: a semicolon and comments, where there is one statement. */
export function withoutSemicolon(sql: string): string {
  const end = tokenize(sql).find(({ kind, text }) => kind === 'symbol' && text === ';')
  return end === undefined ? sql : sql.slice(0, end.start)
}
