import type { Specification, Specified } from './index'
import type { Matrix, Records } from './matrix'
import { isClean } from './privacy'
import { FEWEST_RECORDS, reduce } from './reduction'
import { LARGEST } from './standard'

/** Records that are drawn beside the points. */
const DRAWN = 600
/** What old readers of a stat.json use as the rate of their kernel. */
const CLASSIC_GAMMA = 0.1

/** Specify columns of numbers; see `specify`. Messages of what it throws are keys of our texts. */
export function specified(
  columns: readonly { name: string; values: Float64Array }[],
  size: number,
  onProgress: (share: number) => void,
): Specified {
  const n = columns[0]?.values.length ?? 0
  if (n < FEWEST_RECORDS) throw new Error('specify.tooFew')
  const { rows, filled } = filledRows(columns)
  const { points, weights, audit, standard } = reduce(rows, size, 0, onProgress)
  if (audit.points === 0 || !isClean(audit)) throw new Error('specify.wouldDisclose')
  const d = columns.length
  const names = columns.map(({ name }) => name)
  const specification: Specification = {
    z: Array.from({ length: points.rows }, (_, i) => [
      ...points.values.subarray(i * d, (i + 1) * d),
    ]),
    beta: [...weights],
    gamma: CLASSIC_GAMMA,
    num_points: n,
    type: 'RKMETableSpecification',
    v2: { features: names },
  }
  const shown = drawn(standard.points, standard.records, names)
  return { specification, audit, shown, filled }
}

/** The columns as rows; what float32 cannot hold is filled by the mean of its feature. */
function filledRows(columns: readonly { name: string; values: Float64Array }[]) {
  const d = columns.length
  const n = columns[0]?.values.length ?? 0
  const values = new Float64Array(n * d)
  const filled: Record<string, number> = {}
  columns.forEach(({ name, values: column }, j) => {
    let sum = 0
    let good = 0
    for (const value of column) {
      if (Math.abs(value) <= LARGEST) {
        sum += value
        good++
      }
    }
    if (good === 0) throw new Error('specify.nothingFinite')
    if (good < n) filled[name] = n - good
    for (let i = 0; i < n; i++) {
      const value = column[i] as number
      values[i * d + j] = Math.abs(value) <= LARGEST ? value : sum / good
    }
  })
  const rows: Matrix<Float64Array> = { values, rows: n, columns: d }
  return { rows, filled }
}

/** Points and some records, by the first two features, in standard deviations. */
function drawn(points: Records, records: Records, names: string[]): Specified['shown'] {
  const second = names.length > 1 ? 1 : 0
  const pairs = (of: Records, step: number): [number, number][] => {
    const found: [number, number][] = []
    for (let i = 0; i < of.rows; i += step) {
      const at = i * of.columns
      found.push([of.values[at] as number, of.values[at + second] as number])
    }
    return found
  }
  return {
    points: pairs(points, 1),
    records: pairs(records, Math.max(1, Math.floor(records.rows / DRAWN))),
    axes: [names[0] ?? '', names[second] ?? ''],
  }
}
