import { spawnSync } from 'node:child_process'

/** A Python that has these modules; undefined where there is none. */
export function pythonWith(...modules: string[]): string | undefined {
  return ['python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', `import ${modules.join(', ')}`]).status === 0,
  )
}

/** Runs a program with arguments and returns what it printed. Throws with its errors where it does not end well. */
export function runPython(python: string, program: string, args: string[] = []): string {
  const { status, stdout, stderr } = spawnSync(python, ['-c', program, ...args], {
    encoding: 'utf8',
    timeout: 300_000,
  })
  if (status !== 0) throw new Error(`it ended with ${status}:\n${stdout}${stderr}\n${program}`)
  return stdout
}
