import type { ClientBase } from 'pg'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import type { Model, Project } from '../../project/project.ts'
import type { Letter } from '../letters/letter.ts'
import { sortAddresses } from './address.ts'
import { alertSettings } from './alert-settings.ts'
import { enqueue } from './enqueue-mail.ts'

/** Writes a mail to the owner of a model and to everybody on call, in the caller's transaction. */
export async function mailOwners(
  client: ClientBase,
  project: Project,
  { owner, on_call }: Model,
  mail: { subject: string; letter: Letter },
): Promise<void> {
  const now = await ledgerNow(client)
  for (const recipient of sortAddresses([owner, ...on_call]).addresses)
    await enqueue(client, now, { recipient, ...mail }, alertSettings(project))
}
