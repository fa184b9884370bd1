import { isAbsolute, join, relative, resolve, sep } from 'node:path'
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

/** Folder of a project with copies of the files of its warehouse, `<bucket>/<key>`, where that is a bucket. */
const WAREHOUSE_COPIES = '.nightshift/objects/warehouse'

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

/** A path or pattern in the tree of links, or in the copy of a warehouse, as people know it (relative to the project, with slashes); others as they are. */
export function shownPath(within: string): string {
  const tree = [OBJECT_TREE, WAREHOUSE_COPIES].find((each) => within.startsWith(`${each}/`))
  return tree === undefined ? within : SCHEME + within.slice(tree.length + 1)
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

/** A file of the project or its warehouse as people know it: relative to the project, or `s3://bucket/key`. */
export function shownFile(root: string, path: string): string {
  return placeOf(path) === undefined ? relative(root, path) : shownWarehouse(path)
}

/** What is legal, if a warehouse in object storage is not; undefined if it is. */
export function warehouseFault(given: string): string | undefined {
  const [bucket = '', ...names] = given.slice(SCHEME.length).split('/')
  const isPlain = names.every((name) => /^[\w=+@-][\w.=+@ -]*$/.test(name))
  return BUCKET.test(bucket) && !bucket.includes('..') && isPlain
    ? undefined
    : 's3://BUCKET or s3://BUCKET/PREFIX with a bucket of 3 to 63 lower-case letters, digits, . and -, and a prefix of names (letters, digits, and . _ - = + @) between single slashes, without a pattern and without a slash at the end'
}

/** Where the files of a warehouse lie on this machine: in its folder, or, of a bucket, in copies of those that were used. */
export function warehouseFolder(root: string, given: string): string {
  return isObjectPath(given) ? join(root, WAREHOUSE_COPIES, given.slice(SCHEME.length)) : resolve(root, given)
}

/** A warehouse or a file of it as people know it: its absolute path, or `s3://bucket/key`. */
export function shownWarehouse(warehouse: string): string {
  const place = placeOf(warehouse)
  return place === undefined ? warehouse : objectName(place.bucket, place.key).replace(/\/$/, '')
}

/** Where an object lies. */
export interface ObjectPlace {
  bucket: string
  key: string
}

/** The prefix of the objects below a folder in the copy of a warehouse, which ends in a slash or is empty; undefined for any other. */
export function prefixOf(folder: string): { bucket: string; prefix: string } | undefined {
  const place = placeOf(folder)
  return place && { bucket: place.bucket, prefix: place.key === '' ? '' : `${place.key}/` }
}

/** The object that a path in the copy of a warehouse stands for; undefined for any other path. */
export function placeOf(path: string): ObjectPlace | undefined {
  const copies = `${sep}${WAREHOUSE_COPIES.split('/').join(sep)}${sep}`
  const at = path.lastIndexOf(copies)
  if (at < 0) return undefined
  const [bucket = '', ...names] = path.slice(at + copies.length).split(sep)
  return { bucket, key: names.join('/') }
}

/** Name of an object in errors, in the ledger and on pages. */
export function objectName(bucket: string, key: string): string {
  return `${SCHEME}${bucket}/${key}`
}
