import * as z from 'zod'
import { AMOUNT_LEGAL, AMOUNT_PATTERN, type Amount, BYTES_PATTERN, readAmount } from '../amount.ts'
import { singleAddress } from '../files/mail-address.ts'
import { patternFault } from '../files/path-pattern.ts'
import { describe } from '../files/value-text.ts'
import { isObjectPath, objectPathFault } from '../object-path.ts'
import type { Duration } from '../project.ts'
import { cronFault } from '../time/cron-fault.ts'
import { DURATION_LEGAL, DURATION_PATTERN, durationFault, readDuration } from '../time/duration.ts'
import { isTimeZone, LOCAL, nearestZone } from '../time/zone.ts'

/*
 * The kinds of value in the files. By convention, the message of a schema states what is legal: the words after
 * `expected X to be`. src/project/files/explain-fault.ts adds the position, the value found and what was probably
 * meant.
 */

export const NAME_PATTERN = /^[a-z][a-z0-9_-]*$/
export const NAME_LEGAL = 'a name of lower-case letters, digits, `_` and `-` that begins with a letter'

/** An object with exactly these keys. */
export function keys<S extends z.core.$ZodShape>(
  shape: S,
  legal = `a map of ${Object.keys(shape).join(', ')}`,
) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : legal),
  })
}

/** A map from names of the user's choice to values of one kind. */
export function named<V extends z.ZodType>(key: z.ZodType<string, string>, value: V, legal: string) {
  return z.record(key, value, { error: legal })
}

export function text(legal = 'a text') {
  return z.string({ error: legal }).refine((value) => value.trim() !== '', { error: legal })
}

/** Text that goes into mail headers and file names: one line, without control characters. */
export function line(legal = 'a text of one line') {
  return text(legal).refine((value) => !/\p{Cc}/u.test(value), { error: legal })
}

export function name(legal = NAME_LEGAL) {
  return z
    .string({ error: legal })
    .regex(NAME_PATTERN, { error: legal })
    .max(100, { error: `${legal}, 100 at most` })
}

export function column(legal = 'the name of a column') {
  return line(legal)
}

/** The name of an environment variable. Those of Nightshift itself say what is to be done, or are its secrets. */
export function variable() {
  const legal =
    'the name of an environment variable such as TRACKING_TOKEN, none of DATABASE_URL, REDIS_URL, SMTP_URL, NIGHTSHIFT_...'
  return z
    .string({ error: legal })
    .regex(/^(?!NIGHTSHIFT_|(?:DATABASE|REDIS|SMTP)_URL$)[A-Za-z_][A-Za-z0-9_]*$/, { error: legal })
}

/** The name of a variable that holds a secret. What was written in its place may be the secret, so it is never shown. */
export function secretVariable() {
  const legal = 'the name of an environment variable such as HOOK_SECRET'
  return z.string({ error: legal }).superRefine((given, context) => {
    if (variable().safeParse(given).success) return
    context.addIssue(
      sentence(
        `expected secret_env to be ${legal}, none of Nightshift's own; got: something else, which is not shown, since it may be the secret itself`,
      ),
    )
  })
}

const COLUMN_TYPE =
  /^(?:BOOLEAN|U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE|DECIMAL\((?:[1-9]|[12]\d|3[0-8]), ?\d{1,2}\)|VARCHAR|DATE|TIMESTAMP(?: WITH TIME ZONE)?)$/

/** A type of DuckDB that a column can have. */
export function columnType() {
  return z.string().regex(COLUMN_TYPE, {
    error:
      'BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT (or one of these after U), FLOAT, DOUBLE, DECIMAL(18,2), VARCHAR, DATE, TIMESTAMP or TIMESTAMP WITH TIME ZONE',
  })
}

/** What stands between two values of a line. */
export function delimiter() {
  const legal = 'one character such as ";" or "\\t"'
  return z.string({ error: legal }).regex(/^[^\n\r"]$/u, { error: legal })
}

export function flag() {
  return z.boolean({ error: 'true or false' })
}

export function choice<const V extends readonly [string, ...string[]]>(values: V) {
  return z.enum(values, { error: `one of ${values.join(', ')}` })
}

export function number({ min, max }: { min?: number; max?: number } = {}) {
  const legal = `a number${bounds(min, max)}`
  let schema = z.number({ error: legal })
  if (min !== undefined) schema = schema.min(min, { error: legal })
  if (max !== undefined) schema = schema.max(max, { error: legal })
  return schema
}

export function count({ min, max }: { min: number; max?: number }) {
  const legal = `a whole number${bounds(min, max)}`
  const schema = z.int({ error: legal }).min(min, { error: legal })
  return max === undefined ? schema : schema.max(max, { error: legal })
}

function bounds(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  if (min !== undefined) return ` of at least ${min}`
  return max === undefined ? '' : ` of at most ${max}`
}

/** A list without duplicates. `one` names the entries, in the plural. */
export function list<V extends z.ZodType>(value: V, one: string, { min = 0 } = {}) {
  const legal = `a list of ${one}${min > 0 ? `, at least ${min === 1 ? 'one' : min}` : ''}`
  return z
    .array(value, { error: legal })
    .min(min, { error: legal })
    .superRefine((entries, context) => {
      const seen = new Set<unknown>()
      entries.forEach((entry, index) => {
        if (typeof entry !== 'object' && seen.has(entry)) {
          context.addIssue(sentence(`${describe(entry)} is listed twice: remove one`, [index]))
        }
        seen.add(entry)
      })
    })
}

/** One value or a list of them; read as a list. */
export function oneOrMany(value: z.ZodType<string, string>, one: string) {
  const many = list(value, one, { min: 1 })
  return z
    .union([value, many], { error: `one or a list of ${one}` })
    .transform((given) => (typeof given === 'string' ? [given] : given))
}

export function duration({ zero = false } = {}) {
  return z
    .string({ error: DURATION_LEGAL })
    .transform((given, context): Duration => {
      const read = readDuration(given)
      if (read !== undefined && (zero || read.ms > 0)) return read
      const nothing = { legal: 'a duration longer than zero', near: undefined }
      const { legal, near } = read === undefined ? durationFault(given) : nothing
      context.addIssue({ code: 'custom', message: legal, params: { meant: near } })
      return z.NEVER
    })
    .meta({ pattern: DURATION_PATTERN.source })
}

/** A duration of at least so many days. */
export function daysAtLeast(fewest: number) {
  return duration().superRefine((given, context) => {
    if (given.ms >= fewest * 86_400_000) return
    context.addIssue({ code: 'custom', message: `a duration of at least ${fewest}d, such as 365d` })
  })
}

/** An amount of memory or disk. */
export function amount() {
  return z
    .string({ error: AMOUNT_LEGAL })
    .transform((given, context): Amount => {
      const read = readAmount(given)
      if (read !== undefined) return read
      context.addIssue({ code: 'custom', message: AMOUNT_LEGAL })
      return z.NEVER
    })
    .meta({ pattern: AMOUNT_PATTERN.source })
}

/** A size on disk, in bytes. */
export function bytes() {
  const legal = 'a size such as 800KB, 128MB or 1.5GB'
  return z
    .string({ error: legal })
    .transform((given, context): number => {
      const read = readAmount(given)?.bytes
      if (read !== undefined) return read
      context.addIssue({ code: 'custom', message: legal })
      return z.NEVER
    })
    .meta({ pattern: BYTES_PATTERN.source })
}

export function zone() {
  const legal = 'an IANA time zone such as Europe/Berlin'
  return z.string({ error: legal }).superRefine((given, context) => {
    if (isTimeZone(given)) return
    context.addIssue({ code: 'custom', message: legal, params: { meant: nearestZone(given) } })
  })
}

export function zoneOrLocal() {
  const legal = `\`${LOCAL}\`, or an IANA time zone such as Europe/Berlin`
  return z.string({ error: legal }).superRefine((given, context) => {
    if (given === LOCAL || isTimeZone(given)) return
    context.addIssue({ code: 'custom', message: legal, params: { meant: nearestZone(given) } })
  })
}

/** A schema in PostgreSQL, as it may stand in SQL without quotes; its queues have one beside it, `<schema>_queues`. */
export function schemaName() {
  const legal =
    'a name of PostgreSQL such as nightshift_churn: a to z, 0 to 9 and _, 48 at most, a letter first'
  const taken = 'a name that is not taken: no pg_..., no ..._queues, not public or information_schema'
  return z
    .string({ error: legal })
    .regex(/^[a-z][a-z0-9_]{0,47}$/, { error: legal })
    .refine((given) => !/^pg_|_queues$|^public$|^information_schema$/.test(given), { error: taken })
}

/** A cron; `what` is named in the sentence about a wrong one. */
export function cronOf(what: string) {
  return text('a cron of five fields such as "0 2 * * *"').superRefine((given, context) => {
    if (given.trim() === '') return
    const wrong = cronFault(given)
    if (wrong !== undefined) {
      context.addIssue(
        sentence(
          `expected ${what} to be five fields such as "0 2 * * *" (minute hour day-of-month month weekday), got: ${JSON.stringify(given)}, which ${wrong}`,
        ),
      )
    }
  })
}

/** One address, nothing else: what is accepted here can be mailed, since mails go by the same rule (mail-address.ts). */
export function mail() {
  return z
    .string({ error: MAIL_LEGAL })
    .refine((given) => singleAddress(given) !== undefined, { error: MAIL_LEGAL })
}

const MAIL_LEGAL =
  'one mail address such as ann@example.com: before the @ up to 64 ASCII letters, digits and signs, behind it a domain'

/** Whoever answers for something: a text, which is a mail address where it has an @ and no blank. */
export function owner() {
  return line().refine((given) => !/^\S*@\S*$/.test(given.trim()) || singleAddress(given) !== undefined, {
    error: `a name, or ${MAIL_LEGAL}`,
  })
}

/** A path or glob of files, within the project or absolute; with `objects` also in object storage. */
export function pattern({ objects = false } = {}) {
  const legal = 'a path or glob of files'
  return text(legal).superRefine((given, context) => {
    const fault = faultOfPath(given, objects)
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
  })
}

function faultOfPath(path: string, objects: boolean): string | undefined {
  if (!isObjectPath(path)) return patternFault(path)
  return objects ? objectPathFault(path) : 'a path or glob of files on disk'
}

/** The base URL of the pages. Paths are appended to it, so it has no query, fragment or password. */
export function baseUrl() {
  const legal =
    'a URL such as https://nightshift.example.com, without a user, `?`, `#`, quotes or backslashes'
  return url().refine(
    (given) => {
      if (!URL.canParse(given)) return true
      const { username, password } = new URL(given)
      return username === '' && password === '' && !/[?#"'<>`\\\s\p{Cc}]/u.test(given)
    },
    { error: legal },
  )
}

/** An address that takes posts. Its requests are signed, so it has no user and no password. */
export function webhookUrl() {
  const legal = 'a URL that begins with https:// or http://, without a user and without `#`'
  return z.string({ error: legal }).refine(
    (given) => {
      if (!/^https?:\/\/[^\s/]\S*$/.test(given) || /[\p{Cc}"<>\\#]/u.test(given) || !URL.canParse(given))
        return false
      const { username, password } = new URL(given)
      return username === '' && password === ''
    },
    { error: legal },
  )
}

export function url() {
  const legal = 'a URL that begins with http:// or https://'
  return z
    .string({ error: legal })
    .refine(
      (given) => /^https?:\/\/[^\s/]\S*$/.test(given) && !/[\p{Cc}"<>\\]/u.test(given) && URL.canParse(given),
      {
        error: legal,
      },
    )
}

/** An issue whose message is a full sentence, not only what is legal. */
export function sentence(message: string, path: PropertyKey[] = []) {
  return { code: 'custom' as const, path, message, params: { sentence: true } }
}
