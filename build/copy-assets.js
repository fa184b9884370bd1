// tsc copies no SQL, no .proto and no fonts: they are read beside the compiled modules, so they go along.
import { cpSync } from 'node:fs'

const ASSETS = /\.(sql|proto|ttf|css|html|yaml|md)$/

cpSync('src', 'dist', {
  recursive: true,
  filter: (from) => !/\.[^/]+$/.test(from) || ASSETS.test(from),
})
