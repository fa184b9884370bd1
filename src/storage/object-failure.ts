import type { FailureClass } from '../failures/classes.ts'
import { Failure } from '../pipeline/engine/failure.ts'

type Meaning = [FailureClass, string]

const EXPIRED: Meaning = [
  'transient',
  'the credentials have expired: renew them; the next attempt reads them again',
]
const CHANGED: Meaning = ['transient', 'it changed while it was read: the run must be repeated']
const REMOVED: Meaning = ['transient', 'it was removed while it was read: the run must be repeated']

/** What each error of S3 means for a night: its class, and what to do. */
const KNOWN: Record<string, Meaning> = {
  NoSuchBucket: [
    'contract',
    'there is no such bucket: correct the path, or the endpoint (AWS_ENDPOINT_URL_S3)',
  ],
  InvalidAccessKeyId: [
    'contract',
    'the access key is not known there: correct AWS_ACCESS_KEY_ID, or the profile',
  ],
  SignatureDoesNotMatch: [
    'contract',
    'the secret key does not belong to the access key: correct AWS_SECRET_ACCESS_KEY',
  ],
  CredentialsProviderError: [
    'contract',
    'no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role',
  ],
  InvalidObjectState: ['contract', 'the object is archived: restore it, or leave it out of the path'],
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  TokenRefreshRequired: EXPIRED,
  InvalidToken: [
    'transient',
    'the session token is not valid: renew the credentials; the next attempt reads them again',
  ],
  RequestTimeTooSkewed: ['transient', "this machine's clock differs from that of the storage: set it"],
  SlowDown: ['transient', 'the storage asks for fewer requests, and did so after each of several waits'],
  ServiceUnavailable: ['transient', 'the storage is not available, nor was it after several waits'],
  PreconditionFailed: CHANGED,
  NoSuchKey: REMOVED,
  NotFound: REMOVED,
}

/** Codes that have their meaning below. */
const OTHERS = ['AccessDenied', 'PermanentRedirect', 'AuthorizationHeaderMalformed']

/** Permission that each request needs. */
const PERMISSIONS: Record<ObjectRequest, string> = {
  listed: 's3:ListBucket on the bucket and s3:GetObject on its objects',
  read: 's3:ListBucket on the bucket and s3:GetObject on its objects',
  written: 's3:PutObject on the objects of the warehouse',
  copied: 's3:GetObject and s3:PutObject on the objects of the warehouse',
  removed: 's3:DeleteObject on the objects of the warehouse',
}

/** What was tried. */
export type ObjectRequest = 'listed' | 'read' | 'written' | 'copied' | 'removed'

/** An error of the storage as a Failure that names the object or bucket, what was tried, and what to do. */
export function objectFailure(error: unknown, what: ObjectRequest, name: string): Failure {
  if (error instanceof Failure) return error
  const code = codeOf(error)
  const status = statusOf(error)
  const isDenied =
    code === 'AccessDenied' || code === 'Forbidden' || (KNOWN[code] === undefined && status === 403)
  const [failureClass, advice]: Meaning = isDenied
    ? ['contract', `the credentials do not allow it: grant ${PERMISSIONS[what]}`]
    : code === 'PermanentRedirect' || code === 'AuthorizationHeaderMalformed'
      ? elsewhere(error)
      : (KNOWN[code] ?? byStatus(status))
  const words = error instanceof Error ? error.message : String(error)
  const said = words === '' || words === code || words === 'UnknownError' ? code : `${code}: ${words}`
  return new Failure(failureClass, `${name} could not be ${what} (${said}): ${advice}`, {
    // The SDK's error holds the request with its signature, which is nothing for a log.
    cause: new Error(words),
    evidence: { object: name, code, ...(status === undefined ? {} : { status }) },
  })
}

/** S3 says where the bucket is: in the text of the error, or in a header of the answer. */
function elsewhere(error: unknown): Meaning {
  const told: unknown = error instanceof Error ? (Reflect.get(error, 'Region') ?? headerOf(error)) : undefined
  const region = typeof told === 'string' && /^[a-z0-9-]{2,40}$/.test(told) ? told : undefined
  return [
    'contract',
    region === undefined
      ? 'the bucket is in another region: set AWS_REGION'
      : `the bucket is in ${region}: set AWS_REGION=${region}`,
  ]
}

function headerOf(error: Error): unknown {
  const response: unknown = Reflect.get(error, '$response')
  const headers: unknown =
    typeof response === 'object' && response !== null ? Reflect.get(response, 'headers') : undefined
  return typeof headers === 'object' && headers !== null
    ? Reflect.get(headers, 'x-amz-bucket-region')
    : undefined
}

function byStatus(status: number | undefined): Meaning {
  if (status === 404)
    return ['contract', 'it is not there: correct the path, or the endpoint (AWS_ENDPOINT_URL_S3)']
  if (status === 412) return CHANGED
  if (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429)
    return [
      'contract',
      'the storage refuses the request: correct the path, the endpoint or the rights of the credentials; `nightshift doctor` tries each request',
    ]
  return [
    'transient',
    'the storage could not be reached or did not answer in time; nights try again by themselves. If it stays so, check AWS_ENDPOINT_URL_S3',
  ]
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const code = 'Code' in error ? error.Code : undefined
  if (typeof code === 'string' && (KNOWN[code] !== undefined || OTHERS.includes(code))) return code
  if (error.name !== 'Error' || !('code' in error)) return error.name
  return String(error.code)
}

/** The storage has answered, and will answer the same again. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error) ?? 0
  return status >= 400 && status < 500
}

function statusOf(error: unknown): number | undefined {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined
  const status =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'httpStatusCode') : undefined
  return typeof status === 'number' ? status : undefined
}
