import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'
import { ownFile } from './own-files.ts'

/**
 * Stack traces name the sources, not the bundles. A map is read when a trace needs it: `--enable-source-maps` reads all
 * of them at each start, which takes 40 ms.
 */
export function nameSources(): void {
  const maps = new Map<string, SourceMap | undefined>()
  Error.prepareStackTrace = (error, sites) =>
    [String(error), ...sites.map((site) => `    at ${withSource(site, maps)}`)].join('\n')
}

function withSource(site: NodeJS.CallSite, maps: Map<string, SourceMap | undefined>): string {
  const text = String(site)
  const file = site.getFileName()
  const [line, column] = [site.getLineNumber(), site.getColumnNumber()]
  if (file === null || file === undefined || line === null || column === null) return text
  if (!maps.has(file)) maps.set(file, mapOf(file))
  const found = maps.get(file)?.findEntry(line - 1, column - 1)
  if (found === undefined || !('originalSource' in found)) return text
  const source = found.originalSource.replace(/^(?:\.\.\/)+/, '')
  const place = `${source}:${found.originalLine + 1}:${found.originalColumn + 1}`
  return text.replace(`${file}:${line}:${column}`, () => place)
}

function mapOf(file: string): SourceMap | undefined {
  try {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file
    if (!path.startsWith(ownFile(''))) return undefined
    return new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')))
  } catch {
    return undefined
  }
}
