// Bundles the program from src/ into dist/: `node build/build.js [--from src] [--to dist] [module...]`. Modules are
// named below src/; without any, those that are started as processes and threads are built, with the files they read.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

/** What is started as a process or a thread, and what carries out a call in a process that is there. */
const PROGRAMS = [
  'cli.ts',
  'program/compiled-program.ts',
  'ledger/server/keeper.ts',
  'pipeline/scoring/scorer.ts',
  'workers/child/child.ts',
  'workers/child/watchdog.ts',
  'workers/command/supervise.ts',
]

/** Files that modules read at run time keep their paths. */
const READ = /\.(sql|proto|css|yaml|md)$/

/** Packages of many small modules: one file of them is read and compiled faster. Others are loaded from node_modules. */
const BUNDLED = new Set([
  '@duckdb/node-api',
  'commander',
  'croner',
  'fastest-levenshtein',
  'hyparquet',
  'hyparquet-compressors',
  'minimatch',
  'temporal-polyfill',
  'yaml',
  'zod',
])

/** Loaded by `require`: an `import` of CommonJS reads all files of the package twice, first to find its names. */
const REQUIRED = ['bullmq', 'pg', 'pino']

/** Bundles of earlier builds are kept this long: a process that still runs may load one. A package holds none. */
const KEPT_MS = ['pack', 'publish'].includes(process.env.npm_command ?? '') ? 0 : 24 * 3_600_000

const { values, positionals } = parseArgs({
  options: { from: { type: 'string', default: 'src' }, to: { type: 'string', default: 'dist' } },
  allowPositionals: true,
})
const from = resolve(values.from)
const to = resolve(values.to)
const { dependencies } = createRequire(import.meta.url)('../package.json')

const required = {
  name: 'packages that are required',
  setup(building) {
    building.onResolve({ filter: new RegExp(`^(?:${REQUIRED.join('|')})$`) }, ({ path, namespace }) =>
      namespace === 'required' ? { path, external: true } : { path, namespace: 'required' },
    )
    building.onLoad({ filter: /./, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }))
  },
}

/** A bundled CommonJS package has no named exports for an `import()` of its own. */
const lazily = {
  name: 'no package alone',
  setup(building) {
    building.onResolve({ filter: /^[^.]/ }, ({ path, kind }) =>
      kind === 'dynamic-import' && (BUNDLED.has(path) || REQUIRED.includes(path))
        ? {
            errors: [{ text: `expected ${path} to be imported by a statement; import() a module that does` }],
          }
        : undefined,
    )
  },
}

/** Messages of zod are English: the other forty languages are half of its code. */
const english = {
  name: 'one language',
  setup(building) {
    building.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: `export { default as en } from './en.js'`,
    }))
  },
}

/**
 * The commands are one file of CommonJS: of such a file V8's code can be kept (src/program/compiled-program.ts), and
 * nothing of it runs before it is imported.
 */
const PROGRAM = 'cli/command-line.ts'
const ALSO_BUNDLED = ['pg']

const shared = {
  outbase: from,
  outdir: to,
  write: false,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // Names stay: stack traces show them.
  minifyWhitespace: true,
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
}

const outputFiles = []
const define = {}
if (positionals.length === 0) {
  const program = await build({
    ...shared,
    entryPoints: [join(from, PROGRAM)],
    entryNames: '[dir]/[name]-[hash]',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    // Node offers `import()` to a script only as an experiment; `require` loads ES modules too.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.dirname': '__dirname', 'import.meta.url': '__filename' },
    external: externals([...BUNDLED, ...ALSO_BUNDLED]),
    plugins: [english],
    banner: { js: '(function(exports,require,module,__filename,__dirname){' },
    footer: { js: '})' },
  })
  outputFiles.push(...program.outputFiles)
  const { path } = outputFiles.find((file) => file.path.endsWith('.cjs'))
  define.COMPILED_PROGRAM = JSON.stringify(relative(to, path))
}

const modules = await build({
  ...shared,
  entryPoints: (positionals.length > 0 ? positionals : PROGRAMS).map((path) => join(from, path)),
  define,
  splitting: true,
  format: 'esm',
  chunkNames: 'chunks/[name]-[hash]',
  external: externals([...BUNDLED, ...REQUIRED]),
  plugins: [lazily, required, english],
  banner: {
    js: `import{createRequire as createRequireOfBundle}from'node:module';const require=createRequireOfBundle(import.meta.url);`,
  },
})
outputFiles.push(...modules.outputFiles)
// npx links the program when it first runs it, and makes it executable then; after another build nobody would.
for (const { path, contents } of outputFiles)
  write(path, contents, path === join(to, 'cli.js') ? 0o755 : 0o644)
if (positionals.length === 0) {
  for (const path of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    if (READ.test(path)) write(join(to, path), readFileSync(join(from, path)))
  }
}
const written = new Set(outputFiles.map(({ path }) => path))
for (const folder of ['chunks', 'cli']) {
  if (!existsSync(join(to, folder))) continue
  for (const name of readdirSync(join(to, folder))) {
    const path = join(to, folder, name)
    if (!written.has(path) && Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path)
  }
}
rmSync(join(to, '.code'), { recursive: true, force: true })

/** Packages that are loaded from node_modules. */
function externals(bundled) {
  return [
    '@duckdb/node-bindings',
    'pg-native',
    ...Object.keys(dependencies).filter((name) => !bundled.includes(name)),
  ]
}

/** Another process may be loading the file at this moment. */
function write(path, contents, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true })
  const fresh = `${path}.new-${process.pid}`
  writeFileSync(fresh, contents, { mode })
  renameSync(fresh, path)
}
