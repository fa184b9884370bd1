import type { ClientBase } from 'pg'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import type { Model, Project } from '../../project/project.ts'
import type { Letter, PageLink } from '../letters/letter.ts'
import { modelLink } from '../letters/links.ts'
import { sortAddresses } from './address.ts'
import { alertSettings } from './alert-settings.ts'
import { enqueue } from './enqueue-mail.ts'

/** Writes a mail to the owner of a model and to everybody on call, in the caller's transaction. */
export async function mailOwners(
  client: ClientBase,
  project: Project,
  { name, owner, on_call }: Model,
  { subject, letter }: { subject: string; letter: Letter },
): Promise<void> {
  const now = await ledgerNow(client)
  const mail = { subject, letter: { ...letter, button: readiness(project, name) } }
  for (const recipient of sortAddresses([owner, ...on_call]).addresses)
    await enqueue(client, now, { recipient, ...mail }, alertSettings(project))
}

/** These mails are about a version: the page of its readiness has the buttons. */
function readiness({ alerts }: Pick<Project, 'alerts'>, model: string): PageLink | undefined {
  const href = modelLink(alerts?.base_url, model, 'readiness')
  return href === undefined ? undefined : { text: `Open the readiness of ${model}`, href }
}
