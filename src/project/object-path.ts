import { isAbsolute, relative, resolve, sep } from 'node:path'
import { patternFault } from './files/path-pattern.ts'

/** Objects that a source names in a bucket, as `s3://bucket/prefix/**` does. */
export interface ObjectPattern {
  bucket: string
  /** Of keys, as the pattern of a path. */
  pattern: string
  /** What all these keys begin with. */
  prefix: string
}

const SCHEME = 's3://'
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
/** Folder of a project with one name for each object, `<bucket>/<key>`, that is a link into the cache. */
export const OBJECT_TREE = '.nightshift/objects/tree'

/** Ends the name of a cached file that has the size of its object, and nothing but the footer. */
export const FOOTER_ONLY = '.footer'

export function isObjectPath(path: string): boolean {
  return path.startsWith(SCHEME)
}

/** What is legal, if a path into object storage is not; undefined if it is. */
export function objectPathFault(path: string): string | undefined {
  const [bucket = '', ...names] = path.slice(SCHEME.length).split('/')
  if (!BUCKET.test(bucket) || bucket.includes('..'))
    return 's3://BUCKET/KEY with a bucket of 3 to 63 lower-case letters, digits, . and -'
  if (names.length === 0 || names.some((name) => name === '' || name === '.' || name === '..'))
    return 's3://BUCKET/KEY with a key or glob of names between single slashes'
  return patternFault(names.join('/'))
}

/** Reads a sound path. */
export function readObjectPattern(path: string): ObjectPattern {
  const [bucket = '', ...names] = path.slice(SCHEME.length).split('/')
  const pattern = names.join('/')
  return { bucket, pattern, prefix: /^[^*?[\]{}]*/.exec(pattern)?.[0] ?? '' }
}

/** The pattern of the same files in the tree of links, relative to the project. */
export function localPattern(path: string): string {
  return `${OBJECT_TREE}/${path.slice(SCHEME.length)}`
}

/** A path or pattern in the tree of links (relative to the project, with slashes) as people know it; others as they are. */
export function shownPath(within: string): string {
  return within.startsWith(`${OBJECT_TREE}/`) ? SCHEME + within.slice(OBJECT_TREE.length + 1) : within
}

/** An absolute path as people are shown it: relative to the project where it lies within, an object by its name. */
export function showPath(root: string, path: string): string {
  const within = pathWithin(root, path)
  return within === undefined ? path : shownPath(within.split(sep).join('/'))
}

/** An absolute path relative to a folder; undefined where it lies outside. */
export function pathWithin(root: string, path: string): string | undefined {
  const within = relative(resolve(root), path)
  return within === '..' || within.startsWith(`..${sep}`) || isAbsolute(within) ? undefined : within
}

/** Name of an object in errors, in the ledger and on pages. */
export function objectName(bucket: string, key: string): string {
  return `${SCHEME}${bucket}/${key}`
}
