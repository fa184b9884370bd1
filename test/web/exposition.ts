/** One sample of Prometheus' text format. */
export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

export interface Exposition {
  help: Record<string, string>
  type: Record<string, string>
  samples: Sample[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/

/**
 * Reads Prometheus' text format, version 0.0.4, after its description at prometheus.io/docs/instrumenting/exposition_formats:
 * throws on what is not of it.
 */
export function readExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('the last line has no line feed')
  const read: Exposition = { help: {}, type: {}, samples: [] }
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, keyword, subject = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (keyword === 'HELP') read.help[subject] = once(read.help, subject, rest)
    else if (keyword === 'TYPE') read.type[subject] = once(read.type, subject, rest)
    else if (!line.startsWith('#')) read.samples.push(readSample(line))
  }
  return read
}

function once(known: Record<string, string>, subject: string, text: string): string {
  if (!NAME.test(subject) || subject in known) throw new Error(`${subject} is no name, or is there twice`)
  return text
}

function readSample(line: string): Sample {
  const name = /^[^{ ]+/.exec(line)?.[0] ?? ''
  if (!NAME.test(name)) throw new Error(`no name: ${line}`)
  const labels: Record<string, string> = {}
  let at = name.length
  if (line[at] === '{') {
    const pair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|\})/y
    pair.lastIndex = at + 1
    for (;;) {
      const [whole, label = '', value = '', end] = pair.exec(line) ?? []
      if (whole === undefined || label in labels) throw new Error(`no labels: ${line}`)
      labels[label] = value.replace(/\\(["\\n])/g, (_, char) => (char === 'n' ? '\n' : char))
      at = pair.lastIndex
      if (end === '}') break
    }
  }
  const value = /^ (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|NaN|[+-]Inf)$/.exec(line.slice(at))?.[1]
  if (value === undefined) throw new Error(`no value: ${line}`)
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) }
}
