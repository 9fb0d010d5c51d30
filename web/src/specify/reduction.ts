import { Lanes } from './lanes'
import { chosen, type Matrix, type Records } from './matrix'
import { move, weigh } from './moving'
import { audit, CROWD, type DisclosureAudit, pushOff } from './privacy'
import { Random } from './random'
import { Sample } from './sample'
import { herdedStart } from './seeding'
import { kernelUnit, StandardSpace, scaled } from './standard'

/** A point stands for about this many records. */
const RECORDS_PER_POINT = 10
export const FEWEST_RECORDS = 2 * RECORDS_PER_POINT
/** The first, far move looks at few records; the second corrects what those did not show. */
const FIRST_LOOK = 2_000
const FIRST_MOVES = 150
const SECOND_LOOK = 20_000
const SECOND_MOVES = 40
/** Up to this many features are few. */
const FEW_FEATURES = 32
const EVENNESS = 0.2
const EVENNESS_OF_FEW_FEATURES = 0.08

export interface Reduced {
  /** Raw units. */
  points: Records
  weights: Float64Array
  audit: DisclosureAudit
  /** Records and points as the audit compared them, in standard deviations. */
  standard: { points: Records; records: Records }
}

/**
 * Points and weights whose embedding is near the mean embedding of the rows (ALGORITHMS §1.2).
 *
 * The method of `beimingwu.specification.reduction`, without its term for readers of raw features:
 * standardise, start from synthetic points, move them, push them clear of records, weigh them
 * against all the data. `onProgress` is told a share in [0, 1].
 */
export function reduce(
  rows: Matrix<Float64Array>,
  size: number,
  seed: number,
  onProgress: (share: number) => void = () => {},
): Reduced {
  const random = new Random(seed)
  const space = StandardSpace.of(rows)
  const standard = space.inward(rows)
  const unit = kernelUnit(rows.columns)
  const inKernelUnits: Records = {
    values: standard.values.map((value) => value * unit),
    rows: rows.rows,
    columns: rows.columns,
  }
  const m = Math.min(size, Math.floor(rows.rows / RECORDS_PER_POINT))
  const floor = CROWD / rows.rows
  const evenness = rows.columns <= FEW_FEATURES ? EVENNESS_OF_FEW_FEATURES : EVENNESS
  const few = new Sample(some(inKernelUnits, FIRST_LOOK, random))
  const many = rows.rows > FIRST_LOOK ? new Sample(some(inKernelUnits, SECOND_LOOK, random)) : null
  const progress = looks(few, many, onProgress)
  let moved = herdedStart(few, m, random)
  const how = { floor, evenness, onEvaluation: progress }
  moved = move(moved, few, { ...how, evaluations: FIRST_MOVES })
  if (many) moved = move(moved, many, { ...how, evaluations: SECOND_MOVES })
  const placed: Records = {
    values: Float32Array.from(moved.values, (value) => value / unit),
    rows: m,
    columns: rows.columns,
  }
  const lanes = new Lanes(standard)
  const pushed = pushOff(placed, lanes, space, random)
  const weights = weigh(scaled(pushed, unit), new Sample(inKernelUnits), floor, evenness)
  onProgress(1)
  return {
    points: space.outward(pushed),
    weights,
    audit: audit(pushed, weights, lanes),
    standard: { points: pushed, records: standard },
  }
}

function some(rows: Records, most: number, random: Random): Records {
  return rows.rows <= most ? rows : chosen(rows, random.choose(rows.rows, most))
}

/** Count evaluations, each by the records that it looks at, up to nine tenths of the work. */
function looks(few: Sample, many: Sample | null, onProgress: (share: number) => void) {
  const first = few.records.rows * FIRST_MOVES
  const whole = first + (many ? many.records.rows * SECOND_MOVES : 0)
  let seen = 0
  return () => {
    seen += seen < first ? few.records.rows : (many?.records.rows ?? 0)
    onProgress(Math.min(0.9, (0.9 * seen) / whole))
  }
}
