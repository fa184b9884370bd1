import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

/** README and the pages of docs, as paths from the checkout. */
export const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** A fenced block of a page. */
export interface Block {
  page: string
  /** Of its first line, from 1. */
  line: number
  /** Empty where none is named. */
  language: string
  text: string
}

/** A command of a block, as one types it, and what the block shows of its output. */
export interface PageCommand {
  page: string
  line: number
  /** Without prompt and comment; `[optional]` parts are still in it. */
  text: string
  shown: string[]
}

export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(
    ({ index, 1: language = '', 2: body = '' }) => ({
      page,
      line: text.slice(0, index).split('\n').length + 1,
      language,
      text: body,
    }),
  )
}

const PROGRAMS =
  /^(?:npx|npm|nightshift|node|python3?|pip|cd|cp|mv|export|git|curl|docker|kubectl|systemctl|ssh) /

/** The commands of a block; none of a block that is written in a language. */
export function commandsOf({ page, line, language, text }: Block): PageCommand[] {
  if (language !== '' && language !== 'sh' && language !== 'bash') return []
  const lines = text.split('\n')
  const isSession = lines.some((each) => each.startsWith('$ '))
  const commands: PageCommand[] = []
  for (const [index, each] of lines.entries()) {
    const typed = isSession ? each.startsWith('$ ') : PROGRAMS.test(each)
    const last = commands.at(-1)
    if (typed) {
      for (const one of apart(each.replace(/^\$ /, '')))
        commands.push({ page, line: line + index, text: one, shown: [] })
    } else if (last !== undefined && isSession) last.shown.push(each)
    // A line that goes on below is indented.
    else if (last !== undefined && /^\s+\S/.test(each)) last.text += ` ${withoutComment(each).trim()}`
  }
  return commands
}

/** Commands that stand in one line, without what is said of them. */
function apart(line: string): string[] {
  return withoutComment(line)
    .split(/\s*(?:&&|;)\s+/)
    .map((one) => one.trim())
    .filter((one) => one !== '')
}

/** Whether a line of a page belongs to the section whose heading begins so. Throws if there is none. */
export function linesOf(page: string, heading: string): (text: string, line: number) => boolean {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n')
  const first = lines.findIndex((each) => each.startsWith(`## ${heading}`)) + 1
  if (first === 0) throw new Error(`${page} has no section ${heading}`)
  const next = lines.findIndex((each, index) => index >= first && each.startsWith('## ')) + 1
  return (_text, line) => line > first && (next === 0 || line < next)
}

/** Commands within sentences and tables, as `nightshift status`. */
export function commandsWithin(page: string): PageCommand[] {
  const text = readFileSync(join(ROOT, page), 'utf8').replace(/^```[\s\S]*?^```/gm, (block) =>
    block.replaceAll(/[^\n]/g, ''),
  )
  return [...text.matchAll(/`((?:npx )?nightshift [^`\n]+)`/g)].map(({ index, 1: command = '' }) => ({
    page,
    line: text.slice(0, index).split('\n').length,
    text: command,
    shown: [],
  }))
}

/**
 * A command in each of its forms: without its `[optional]` parts, then with all of them until each of `[--this | --that]` has been in
 * one.
 */
export function formsOf(text: string): string[] {
  const parts = [...text.matchAll(OPTIONAL)].map(([, inside = '']) =>
    inside.split('|').map((one) => one.trim()),
  )
  const most = Math.max(0, ...parts.map(({ length }) => length))
  const form = (number: number) => {
    let part = 0
    return text.replaceAll(OPTIONAL, () => {
      const choices = parts[part++] ?? []
      return ` ${choices[number % choices.length]}`
    })
  }
  return [text.replaceAll(OPTIONAL, ''), ...Array.from({ length: most }, (_, number) => form(number))]
}

const OPTIONAL = /\s\[([^\]]*)\]/g

function withoutComment(line: string): string {
  return line.replace(/\s{2,}#.*$/, '')
}

/** The words of a command as a shell takes them apart. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  )
}
