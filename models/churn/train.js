/**
 * Trains the logistic regression of the telecom example: `nightshift retrain churn` runs it in this folder. It reads the
 * training set in NIGHTSHIFT_TRAIN and writes an ONNX file to NIGHTSHIFT_OUT. The same rows give the same file.
 */
import { writeFileSync } from 'node:fs'
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { fitLogistic } from './training/logistic.js'
import { logisticModel } from './training/onnx.js'

const { NIGHTSHIFT_TRAIN, NIGHTSHIFT_INPUTS, NIGHTSHIFT_LABEL, NIGHTSHIFT_OUT } = process.env
if (!NIGHTSHIFT_TRAIN || !NIGHTSHIFT_INPUTS || !NIGHTSHIFT_LABEL || !NIGHTSHIFT_OUT)
  throw new Error('expected the variables of a retraining: nightshift retrain churn --dry-run')

const inputs = JSON.parse(NIGHTSHIFT_INPUTS)
const read = await readColumns(NIGHTSHIFT_TRAIN, [...inputs, NIGHTSHIFT_LABEL])
const label = Uint8Array.from(read.get(NIGHTSHIFT_LABEL))
const columns = inputs.map((name) => read.get(name))
console.log(`${label.length} rows, ${label.reduce((sum, value) => sum + value, 0)} of them left`)

const fitted = fitLogistic(columns, label, { ridge: 1 })
for (const [index, name] of inputs.entries())
  console.log(`${name.padEnd(20)} ${fitted.weight[index].toFixed(4)}`)
writeFileSync(NIGHTSHIFT_OUT, logisticModel(fitted, inputs))

/** Columns of a Parquet file as float32; NaN where there is null. */
async function readColumns(path, names) {
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file)
  const rows = Number(metadata.num_rows)
  const found = new Map(names.map((name) => [name, new Float32Array(rows).fill(Number.NaN)]))
  await parquetRead({
    file,
    metadata,
    columns: names,
    compressors,
    onChunk({ columnName, columnData, rowStart }) {
      const column = found.get(columnName)
      for (let row = 0; row < columnData.length; row++) {
        const value = columnData[row]
        if (value !== null && value !== undefined) column[rowStart + row] = Number(value)
      }
    },
  })
  return found
}
