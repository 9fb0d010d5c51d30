import { descend } from './descent'
import { type Points, points } from './matrix'
import { gramAndSteepness, type Sample } from './sample'
import { simplexWeights } from './simplex'

export interface Move {
  /** Least weight of a point. */
  floor: number
  /** Penalty on the squared length of the weights, added to the squared MMD. */
  evenness: number
  /** How many times the data is looked at. */
  evaluations: number
  onEvaluation: () => void
}

/**
 * The points moved down `min over weights of mmd2(Z, weights)` (ALGORITHMS §1.2, step 4).
 *
 * The weights are solved for at every step, so that the objective depends on the points alone and
 * its gradient is the one at the best weights.
 */
export function move(from: Points, sample: Sample, how: Move): Points {
  const { rows: m, columns: d } = from
  const free = new Uint8Array(m)
  const moved = descend(
    (x) => {
      const at = points(m, d, x)
      const { target, gradient: pull } = sample.pull(at)
      const { gram, steepness } = gramAndSteepness(at)
      addToDiagonal(gram, m, how.evenness)
      const weights = simplexWeights(gram, target, how.floor, free)
      return {
        value: objective(gram, target, weights),
        gradient: gradientOf(at, weights, pull, steepness),
      }
    },
    from.values,
    how.evaluations,
    how.onEvaluation,
  )
  return points(m, d, moved)
}

/** The best weights of the points for the records. */
export function weigh(at: Points, sample: Sample, floor: number, evenness: number): Float64Array {
  const { gram } = gramAndSteepness(at)
  addToDiagonal(gram, at.rows, evenness)
  return simplexWeights(gram, sample.meanEmbedding(at), floor, new Uint8Array(at.rows))
}

function addToDiagonal(gram: Float64Array, m: number, what: number): void {
  for (let i = 0; i < m; i++) gram[i * m + i] = (gram[i * m + i] as number) + what
}

function objective(gram: Float64Array, target: Float64Array, weights: Float64Array): number {
  const m = weights.length
  let value = 0
  for (let i = 0; i < m; i++) {
    let sum = 0
    for (let j = 0; j < m; j++) sum += (gram[i * m + j] as number) * (weights[j] as number)
    value += (weights[i] as number) * (sum - 2 * (target[i] as number))
  }
  return value
}

/** `-2 b_i [ sum_j b_j g_ij (z_i - z_j) + pull_i ]`. */
function gradientOf(
  at: Points,
  weights: Float64Array,
  pull: Float64Array,
  steepness: Float64Array,
): Float64Array {
  const { values: z, rows: m, columns: d } = at
  const gradient = new Float64Array(m * d)
  for (let i = 0; i < m; i++) {
    let sum = 0
    const drawn = new Float64Array(d)
    for (let j = 0; j < m; j++) {
      const push = (steepness[i * m + j] as number) * (weights[j] as number)
      sum += push
      for (let k = 0; k < d; k++) drawn[k] = (drawn[k] as number) + push * (z[j * d + k] as number)
    }
    const twice = -2 * (weights[i] as number)
    for (let k = 0; k < d; k++) {
      const repulsion = (z[i * d + k] as number) * sum - (drawn[k] as number)
      gradient[i * d + k] = twice * (repulsion + (pull[i * d + k] as number))
    }
  }
  return gradient
}
