import { open, rename, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { PRIVATE, privateFolder } from '../../project/files/private-folder.ts'
import type { Message } from '../letters/message.ts'
import type { AlertLog } from './alert-log.ts'
import { type Transport, Undeliverable } from './transport.ts'

/**
 * Writes mails as `.eml` files, which every mail program opens, if no SMTP server is configured. A file name consists
 * of the time, the mail's number and its recipient, so that names sort by time and a repeated delivery replaces its
 * own file. `path`: the folder within `.nightshift`.
 */
export function openFiles(root: string, log: AlertLog, path: string[] = ['outbox']): Transport {
  const folder = join(root, PRIVATE, ...path)
  return {
    name: relative(root, folder),
    async send(message) {
      const file = join(folder, fileName(message))
      try {
        privateFolder(root, ...path)
        await write(file, message.raw)
      } catch (cause) {
        throw new Undeliverable(
          'server',
          `${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
          {
            cause,
          },
        )
      }
      log.info(
        { mail: relative(root, file), to: message.mail.recipient, subject: message.mail.subject },
        'mail written to a file, since SMTP_URL is not set',
      )
      return relative(root, file)
    },
    rest() {},
    async close() {},
  }
}

/** `20261122T010503Z-000042-oncall@example.com.eml`. */
function fileName({ mail }: Message): string {
  const time = mail.createdAt.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')
  const recipient = mail.recipient.replaceAll(/[^\w.@+-]/g, '_').slice(0, 100)
  return `${time}-${String(mail.id).padStart(6, '0')}-${recipient}.eml`
}

async function write(file: string, bytes: Buffer): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  const handle = await open(temporary, 'w', 0o600)
  try {
    // Independent of the process's umask.
    await handle.chmod(0o600)
    await handle.writeFile(bytes)
    await handle.sync()
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
}
