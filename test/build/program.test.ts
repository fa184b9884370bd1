import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('the program is executable after every build, not only after npx has linked it', () => {
  const dist = mkdtempSync(join(tmpdir(), 'nightshift-build-'))
  try {
    const built = spawnSync(process.execPath, ['build/build.js', '--to', dist])
    expect(built.status, String(built.stderr)).toBe(0)
    const program = join(dist, 'cli.js')
    expect(statSync(program).mode & 0o111).toBe(0o111)
    chmodSync(program, 0o644)
    spawnSync(process.execPath, ['build/build.js', '--to', dist])
    expect(statSync(program).mode & 0o111).toBe(0o111)
  } finally {
    rmSync(dist, { recursive: true, force: true })
  }
})
