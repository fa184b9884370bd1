// The licences of what Nightshift is shipped with, as the lock file says them: the same on every machine.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), license: z.string().optional(), dev: z.boolean().optional() }),
  ),
})

export interface Licensed {
  name: string
  version: string
  license: string
}

/** Every package that `npm ci --omit=dev` may install, on any platform, by name and version. */
export function licensesOf(lock: string): Licensed[] {
  const byId = new Map<string, Licensed>()
  for (const [path, { version = '', license = 'none stated', dev }] of Object.entries(
    Lock.parse(JSON.parse(lock)).packages,
  )) {
    if (path === '' || dev === true) continue
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    byId.set(`${name} ${version}`, { name, version, license })
  }
  return [...byId.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1))
}

export function licensesPage(lock: string): string {
  const rows = licensesOf(lock).map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`)
  return `# Licences of the packages that Nightshift uses

Nightshift itself is under the Apache License 2.0 (LICENSE). Each package below has the text of its licence in its own
folder under \`node_modules/\`. Written by \`npm run licenses\` from package-lock.json.

| package | version | licence |
| --- | --- | --- |
${rows.join('\n')}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync('THIRD-PARTY-LICENSES.md', licensesPage(readFileSync('package-lock.json', 'utf8')))
}
