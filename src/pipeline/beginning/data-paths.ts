import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path'
import { Failure } from '../engine/failure.ts'
import { identifier } from '../engine/quote.ts'
import { expandGlob, hiveKeys } from '../sources/glob.ts'

export type DataFormat = 'parquet' | 'csv' | 'json'

/** Files that are one table: what becomes a source. */
export interface DataTable {
  /** Letters, digits and `_`, a letter first; no two tables have one. */
  name: string
  /** Absolute: a file or a glob. */
  path: string
  format: DataFormat
}

const FORMATS: Record<string, DataFormat> = {
  '.parquet': 'parquet',
  '.pq': 'parquet',
  '.parq': 'parquet',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.json': 'json',
  '.jsonl': 'json',
  '.ndjson': 'json',
}

/**
 * The tables that paths name: each a file, a glob, or a folder. A folder holds one table in each folder below it that has
 * files (`key=value` folders are part of a table), and where the names of its files differ in more than digits, one for each name.
 * Throws a contract Failure that names a path without data.
 */
export function dataTables(paths: string[]): DataTable[] {
  const found = paths.flatMap((path) => tablesAt(path))
  const taken = new Map<string, number>()
  return found.map((table) => {
    const count = (taken.get(table.name) ?? 0) + 1
    taken.set(table.name, count)
    return count === 1 ? table : { ...table, name: `${table.name}_${count}` }
  })
}

function tablesAt(given: string): DataTable[] {
  const path = resolve(given)
  if (/[*?[{]/.test(given)) {
    if (existsSync(path))
      throw noData(given, 'its name has *, ?, [ or {, which are read as a pattern: rename it')
    const { files } = expandGlob('/', path)
    const [first] = files
    if (first === undefined) throw noData(given, 'no file matches it')
    return [{ name: tableName(path), path, format: formatOf(first.path, given) }]
  }
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw noData(given, 'it does not exist')
  if (!stat.isDirectory()) return [{ name: tableName(path), path, format: formatOf(path, given) }]
  const files = dataFiles(path)
  if (files.length === 0) throw noData(given, 'a folder without Parquet, CSV or JSON files')
  return groups(path, files).map(({ folder, stem, extension, isAlone }) => {
    const deep = files.some((file) => file.startsWith(`${folder}${sep}`) && dirname(file) !== folder)
    const isKeyed =
      deep && files.some((file) => tableFolder(path, file) === folder && dirname(file) !== folder)
    const names = isAlone ? `*${extension}` : `${stem}*${extension}`
    const only = files.filter((file) => tableFolder(path, file) === folder)
    const pattern =
      only.length === 1 && only[0] !== undefined && !isKeyed
        ? only[0]
        : join(folder, ...(isKeyed ? ['**'] : []), names)
    return {
      name: tableName(isAlone ? folder : join(folder, stem)),
      path: pattern,
      format: FORMATS[extension.toLowerCase()] ?? 'parquet',
    }
  })
}

/** Files of one table, by their folder, the letters of their names, and their ending. */
function groups(root: string, files: string[]) {
  const all = new Map<string, { folder: string; stem: string; extension: string }>()
  for (const file of files) {
    const folder = tableFolder(root, file)
    const extension = extname(file)
    // `orders_2026-11.parquet` and `part-0.parquet` are named by what stands before the digits; folders by themselves.
    const stem = /^\D*/.exec(basename(file, extension))?.[0] ?? ''
    all.set([folder, stem, extension].join('\n'), { folder, stem, extension })
  }
  const groups = [...all.values()]
  return groups.map((group) => ({
    ...group,
    isAlone: groups.filter(({ folder }) => folder === group.folder).length === 1,
  }))
}

/** The folder of a file without the `key=value` folders at its end. */
function tableFolder(root: string, file: string): string {
  let folder = dirname(file)
  while (folder !== root && hiveKeys(`${basename(folder)}${sep}x`).size > 0) folder = dirname(folder)
  return folder
}

function dataFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && FORMATS[extname(entry.name).toLowerCase()] !== undefined)
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !relative(folder, path)
          .split(sep)
          .some((name) => name.startsWith('.')),
    )
    .sort()
}

function formatOf(path: string, given: string): DataFormat {
  const format = FORMATS[extname(path).toLowerCase()]
  if (format !== undefined) return format
  throw noData(given, `its name ends with ${extname(path) || 'nothing'}`)
}

function noData(path: string, why: string): Failure {
  return new Failure(
    'contract',
    `init: expected --data to be a file, a folder or a glob of .parquet, .csv, .tsv, .json or .jsonl files, got: ${path} (${why}); nothing was written`,
  )
}

/** Words of SQL that cannot stand where a table is named. */
const RESERVED = new Set(
  'all and any as asc at both case cast check collate column constraint create default desc distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral leading limit not null offset on only or order placing primary qualify references returning select some summarize symmetric table then to trailing true union unique using variadic when where window with raw'.split(
    ' ',
  ),
)

/** The last name of a path that is no wildcard and no key, as a name of a table. */
function tableName(path: string): string {
  const names = path.split(sep).filter((name) => name !== '' && hiveKeys(`${name}${sep}x`).size === 0)
  const last = names.findLast((name) => !/^\W*[*?]/.test(name) && /[a-z]/i.test(name)) ?? 'data'
  const bare = FORMATS[extname(last).toLowerCase()] === undefined ? last : basename(last, extname(last))
  const plain = plainName(bare.replace(/[*?[{].*$/, '').replace(/[\W_\d]+$/, '')) || 'data'
  return RESERVED.has(plain) ? `${plain}_rows` : plain
}

/** The day of folders that say it in parts, such as year=2026/month=11/day=22, as SQL; undefined where they say none. */
export function dividedDay(columns: { name: string; isKey: boolean }[]): string | undefined {
  const keys = columns.filter(({ isKey }) => isKey)
  const parts = ['year', 'month', 'day'].map(
    (part) => keys.find(({ name }) => plainName(name) === part)?.name,
  )
  if (parts.includes(undefined)) return undefined
  return `try_cast(concat_ws('-', ${parts.map((name) => sqlName(name ?? '')).join(', ')}) AS DATE)`
}

/** Whether columns are of folders that say a month and no day, such as year=2026/month=11. */
export function isOfMonths(columns: { name: string; isKey: boolean }[]): boolean {
  const keys = columns.filter(({ isKey }) => isKey).map(({ name }) => plainName(name))
  return keys.includes('year') && keys.includes('month') && dividedDay(columns) === undefined
}

/** A name as SQL reads it, in quotes only where it needs them. */
export function sqlName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) && !RESERVED.has(name.toLowerCase()) ? name : identifier(name)
}

/** Names that differ in case, accents and signs alone: `customerID`, `CUSTOMER ID`, `customer_id`. */
export function isSameName(a: string, b: string): boolean {
  return bareName(a) === bareName(b)
}

/** The letters and digits of a name, of any script: what names are compared by. */
export function bareName(text: string): string {
  return inLowerCase(text).replace(/[^\p{L}\p{N}]+/gu, '')
}

/** Lower case letters, digits and `_`, a letter first: `Größe (m)` is `grosse_m`. Empty where nothing is left. */
export function plainName(text: string): string {
  return inLowerCase(text)
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
}

/** The name of a feature of a column: plain, else in the letters of its own script. */
export function featureName(column: string): string {
  const own = inLowerCase(column).replace(/[^\p{L}\p{N}]+/gu, '_')
  return plainName(column) || own.replace(/^_+|_+$/g, '') || 'value'
}

/** What the letters are written with that have no accent to take away. */
const LETTERS: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
}

function inLowerCase(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[ßæœøłđðþı]/g, (letter) => LETTERS[letter] ?? letter)
}
