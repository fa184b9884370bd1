import { hashSync } from 'bcryptjs'
import { openQueues, type Queues } from '../../src/jobs/queue/queues.ts'
import { type Database, openDatabase } from '../../src/ledger/connection/database.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import type { Project } from '../../src/project/project.ts'
import { parseUsers, type Users } from '../../src/web/security/users.ts'
import { startWeb, type WebOptions } from '../../src/web/start-web.ts'
import { freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'

/** The pages on a free port, with a ledger, queues and a project of their own. */
export interface Site {
  url: string
  database: Database
  queues: Queues
  project: TemporaryProject
  /** Asks without following redirects; `form` makes it a POST of a form. */
  ask(path: string, request?: Ask): Promise<Response>
  /** Signs in and returns the cookie as the browser sends it back. */
  signIn(name: string, password?: string): Promise<string>
  /** The `csrf` that a session's forms carry. */
  csrf(name: string): Promise<string>
  close(): Promise<void>
}

export interface Ask {
  method?: string
  headers?: Record<string, string>
  cookie?: string
  form?: Record<string, string>
}

export const PASSWORD = 'correct horse battery'

/** As NIGHTSHIFT_USERS holds them; their password is `PASSWORD`, hashed at the lowest cost. */
export function usersOf(entries: Record<string, 'viewer' | 'operator'>): Users {
  const text = Object.entries(entries).map(([name, role]) => `${name}:${role}:${hashSync(PASSWORD, 4)}`)
  const users = parseUsers(text.join('\n'), 'the test')
  return () => users
}

export async function openSite({
  redisUrl,
  through = async (url) => url,
  files = {},
  clock,
  part = (whole) => whole,
  ...options
}: Partial<WebOptions> & {
  redisUrl?: string
  /** Leads the ledger's connections another way. */
  through?: (url: string) => Promise<string>
  /** Written into the generated project, such as a `model.yaml` of another kind. */
  files?: Record<string, string>
  /** What the pages take for now. */
  clock?: () => Date
  /** What the pages take for the project. */
  part?: (whole: Project) => Project
} = {}): Promise<Site> {
  const fresh = await freshDatabase()
  const project = await generatedProject()
  for (const [path, text] of Object.entries(files)) await project.write(path, text)
  const database = await openDatabase({ root: project.root, url: await through(fresh.url), role: 'web' })
  const queues = await openQueues({ databaseUrl: fresh.url, redisUrl, log: () => {} })
  const read = openProject(project.root)
  const web = await startWeb(
    { database, queues, project: () => part(read), ...(clock === undefined ? {} : { clock }) },
    { port: 0, ...options },
  )
  const ask: Site['ask'] = (path, { method, headers = {}, cookie, form } = {}) =>
    fetch(web.url + path, {
      method: method ?? (form === undefined ? 'GET' : 'POST'),
      redirect: 'manual',
      headers: { ...headers, ...(cookie === undefined ? {} : { cookie }) },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    })
  return {
    url: web.url,
    database,
    queues,
    project,
    ask,
    async signIn(name, password = PASSWORD) {
      const answer = await ask('/signin', { form: { name, password } })
      const cookie = answer.headers.getSetCookie()[0]?.split(';')[0]
      if (answer.status !== 303 || cookie === undefined)
        throw new Error(`sign-in of ${name}: ${answer.status}`)
      return cookie
    },
    async csrf(name) {
      const { rows } = await database.pool.query<{ csrf: string }>(
        'select csrf from nightshift.sessions where name = $1 order by created_at desc limit 1',
        [name],
      )
      return rows[0]?.csrf ?? ''
    },
    async close() {
      await web.close()
      await queues.close()
      await database.close()
      await fresh.drop()
      await project.remove()
    },
  }
}
