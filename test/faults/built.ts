import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT = resolve(process.env.NIGHTSHIFT_DIST ?? resolve(import.meta.dirname, '../../dist'), '..')

/**
 * Imports a module of the program that faults are injected into: `built<typeof import('../../src/x.ts')>('x.ts')`.
 * `npm run test:faults -- --break` names a program that lacks a guard.
 */
export async function built<Module>(path: string): Promise<Module> {
  return await import(/* @vite-ignore */ pathToFileURL(resolve(ROOT, 'src', path)).href)
}
