import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The compiled program that faults are injected into; `npm run test:faults -- --break` names one that lacks a guard. */
export const DIST = resolve(process.env.NIGHTSHIFT_DIST ?? resolve(import.meta.dirname, '../../dist'))

/** Imports a module of the compiled program: `built<typeof import('../../src/x.ts')>('x.js')`. */
export async function built<Module>(path: string): Promise<Module> {
  return await import(/* @vite-ignore */ pathToFileURL(resolve(DIST, path)).href)
}
