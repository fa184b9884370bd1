import type { AlertLog } from './alert-log.ts'
import { openFiles } from './mail-files.ts'
import { openSmtp } from './smtp.ts'
import type { Transport } from './transport.ts'

/**
 * SMTP if a URL (SMTP_URL) is given, otherwise files in a folder of the project's `.nightshift/`, by default `outbox`. Opens no connection.
 * Throws a ConfigurationError if the URL is not an SMTP URL; the error does not contain the password.
 */
export function openTransport(
  smtpUrl: string | undefined,
  root: string,
  log: AlertLog,
  outbox?: string[],
): Transport {
  return smtpUrl === undefined || smtpUrl === '' ? openFiles(root, log, outbox) : openSmtp(smtpUrl, log)
}
