import type { ClientBase } from 'pg'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import type { Model, Project } from '../../project/project.ts'
import type { Letter, PageLink } from '../letters/letter.ts'
import { modelLink } from '../letters/links.ts'
import { authorOf } from '../letters/next-commands.ts'
import { sortAddresses } from './address.ts'
import { alertSettings } from './alert-settings.ts'
import { enqueue } from './enqueue-mail.ts'

/**
 * Writes a mail to the owner of a model and to everybody on call, in the caller's transaction. `--by YOU` of its commands
 * becomes the reader.
 */
export async function mailOwners(
  client: ClientBase,
  project: Project,
  { name, owner, on_call }: Model,
  { subject, letter }: { subject: string; letter: Letter },
): Promise<void> {
  const now = await ledgerNow(client)
  const button = readiness(project, name)
  const people = Object.keys(project.people)
  for (const recipient of sortAddresses([owner, ...on_call]).addresses) {
    const signed = { ...signedBy(letter, authorOf({ people }, recipient)), button }
    await enqueue(client, now, { recipient, subject, letter: signed }, alertSettings(project))
  }
}

function signedBy(letter: Letter, by: string): Letter {
  const sections = letter.sections.map((section) => ({
    ...section,
    items: section.items.map((item) =>
      item.kind === 'command'
        ? { ...item, command: item.command.replace(/ --by YOU$/, ` --by ${by}`) }
        : item,
    ),
  }))
  return { ...letter, sections }
}

/** These mails are about a version: the page of its readiness has the buttons. */
function readiness({ alerts }: Pick<Project, 'alerts'>, model: string): PageLink | undefined {
  const href = modelLink(alerts?.base_url, model, 'readiness')
  return href === undefined ? undefined : { text: `Open the readiness of ${model}`, href }
}
