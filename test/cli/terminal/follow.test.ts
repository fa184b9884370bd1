import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { follow } from '../../../src/cli/terminal/follow.ts'
import { openSession, type Session } from '../../../src/host/session.ts'
import { freePort } from '../../alerts/mail-server.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'

let fresh: FreshDatabase
let project: TemporaryProject
let session: Session
beforeAll(async () => {
  fresh = await freshDatabase()
  project = await generatedProject({ customers: 20 })
  vi.stubEnv('DATABASE_URL', fresh.url)
  session = await openSession({ project: project.root }, 'command')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await session?.close()
  await project?.remove()
  await fresh?.drop()
})

/** Asks a server that is not there. */
async function askNobody(): Promise<never> {
  const client = new pg.Client({ host: '127.0.0.1', port: await freePort() })
  await client.connect()
  throw new Error('somebody listens')
}

describe('following runs', () => {
  test('outlives a ledger that does not answer for a moment', async () => {
    let asked = 0
    await follow(session, {
      quiet: true,
      check: async () => (++asked < 3 ? askNobody() : { done: true, runs: [] }),
    })
    expect(asked).toBe(3)
  })

  test('ends at once with any other error', async () => {
    let asked = 0
    const check = async (): Promise<never> => {
      asked++
      throw new Error('not of the connection')
    }
    await expect(follow(session, { quiet: true, check })).rejects.toThrow('not of the connection')
    expect(asked).toBe(1)
  })
})
