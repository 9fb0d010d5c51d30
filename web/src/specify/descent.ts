/** What is minimised: its value, and its gradient at `x`. */
export type Objective = (x: Float64Array) => { value: number; gradient: Float64Array }

/** Pairs of steps and gradients that are remembered. */
const MEMORY = 10
/** A step is taken where the value fell by this share of what the slope promised. */
const ENOUGH = 1e-3
/** And where the slope is no more than this share of what it was: no step far too short. */
const FLATTER = 0.9

interface State {
  x: Float64Array
  value: number
  gradient: Float64Array
}

/**
 * Return where L-BFGS gets within a budget of evaluations (Liu and Nocedal 1989).
 *
 * The budget is fixed, so that the same data give the same points on any machine.
 */
export function descend(
  objective: Objective,
  start: Float64Array,
  evaluations: number,
  onEvaluation: () => void,
): Float64Array {
  let left = evaluations
  const evaluate = (x: Float64Array): State => {
    left--
    onEvaluation()
    return { x, ...objective(x) }
  }
  let here = evaluate(start)
  const steps: Float64Array[] = []
  const changes: Float64Array[] = []
  while (left > 0) {
    let direction = quasiNewton(here.gradient, steps, changes)
    if (dot(direction, here.gradient) >= 0) direction = here.gradient.map((g) => -g)
    const slope = dot(direction, here.gradient)
    if (slope > -1e-18) break
    const first = steps.length ? 1 : Math.min(1, 1 / Math.sqrt(dot(here.gradient, here.gradient)))
    const next = search(evaluate, here, direction, slope, first, () => left)
    if (next === null) break
    const step = minus(next.x, here.x)
    const change = minus(next.gradient, here.gradient)
    if (dot(step, change) > 1e-14 * dot(change, change)) {
      steps.push(step)
      changes.push(change)
      if (steps.length > MEMORY) {
        steps.shift()
        changes.shift()
      }
    }
    here = next
  }
  return here.x
}

/** Find a step along the direction that lowers the value enough and is not far too short. */
function search(
  evaluate: (x: Float64Array) => State,
  here: State,
  direction: Float64Array,
  slope: number,
  first: number,
  left: () => number,
): State | null {
  let shortest = 0
  let longest = Number.POSITIVE_INFINITY
  let step = first
  let best: State | null = null
  while (left() > 0) {
    const there = evaluate(here.x.map((value, i) => value + step * (direction[i] as number)))
    if (there.value > here.value + ENOUGH * step * slope) {
      longest = step
      const curvature = there.value - here.value - step * slope
      const minimum = curvature > 0 ? (-slope * step * step) / (2 * curvature) : step / 2
      step =
        shortest +
        clamp((minimum - shortest) / (longest - shortest), 0.1, 0.6) * (longest - shortest)
    } else {
      if (best === null || there.value < best.value) best = there
      const now = dot(there.gradient, direction)
      if (Math.abs(now) <= FLATTER * Math.abs(slope)) return best
      if (now < 0) shortest = step
      else longest = step
      step = Number.isFinite(longest) ? (shortest + longest) / 2 : 2 * step
    }
    if (longest - shortest < 1e-12) break
  }
  return best
}

function quasiNewton(
  gradient: Float64Array,
  steps: readonly Float64Array[],
  changes: readonly Float64Array[],
): Float64Array {
  const q = gradient.map((g) => -g)
  const shares: number[] = []
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i] as Float64Array
    const change = changes[i] as Float64Array
    const share = dot(step, q) / dot(step, change)
    shares[i] = share
    for (let j = 0; j < q.length; j++) q[j] = (q[j] as number) - share * (change[j] as number)
  }
  const last = steps.length - 1
  if (last >= 0) {
    const change = changes[last] as Float64Array
    const scale = dot(steps[last] as Float64Array, change) / dot(change, change)
    for (let j = 0; j < q.length; j++) q[j] = (q[j] as number) * scale
  }
  for (let i = 0; i <= last; i++) {
    const step = steps[i] as Float64Array
    const change = changes[i] as Float64Array
    const share = (shares[i] as number) - dot(change, q) / dot(step, change)
    for (let j = 0; j < q.length; j++) q[j] = (q[j] as number) + share * (step[j] as number)
  }
  return q
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

function minus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - (b[i] as number))
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}
