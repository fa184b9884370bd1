import { singleAddress } from '../../project/files/mail-address.ts'
import { ConfigurationError } from '../../project/files/problem.ts'

/** An address that a person typed. Throws a ConfigurationError. */
export function requireAddress(text: string, where: string): string {
  const address = singleAddress(text)
  if (address !== undefined) return address
  throw new ConfigurationError(
    `${where}: expected one address such as oncall@example.com, got: ${JSON.stringify(text)}`,
  )
}

/** The valid addresses among the texts, without duplicates (ignoring case), and the texts that are not addresses. */
export function sortAddresses(texts: string[]): { addresses: string[]; refused: string[] } {
  const byKey = new Map<string, string>()
  const refused: string[] = []
  for (const text of texts) {
    const address = singleAddress(text)
    if (address === undefined) refused.push(text)
    else if (!byKey.has(address.toLowerCase())) byKey.set(address.toLowerCase(), address)
  }
  return { addresses: [...byKey.values()], refused }
}
