import { describe, expect, it } from 'vitest'
import golden from './golden.json'
import { Lanes } from './lanes'
import { points, type Records } from './matrix'
import { audit } from './privacy'
import { gramAndSteepness, Sample } from './sample'
import { simplexWeights } from './simplex'
import { kernelUnit, StandardSpace } from './standard'

const d = golden.rows[0]?.length ?? 0
const flat = (rows: number[][]) => Float64Array.from(rows.flat())
const rows = points(golden.rows.length, d, flat(golden.rows))
const at = points(golden.points.length, d, flat(golden.points))
const space = StandardSpace.of(rows)
const standard = space.inward(rows)
const unit = kernelUnit(d)
const inUnits: Records = { ...standard, values: standard.values.map((value) => value * unit) }

/** Both work in float32, and add up in an order of their own. */
function near(found: ArrayLike<number>, wanted: number[], within = 2e-6) {
  expect(found.length).toBe(wanted.length)
  const largest = Math.max(...wanted.map(Math.abs))
  wanted.forEach((value, i) => {
    expect(Math.abs((found[i] as number) - value)).toBeLessThanOrEqual(within * largest)
  })
}

describe('the specification of the browser, beside that of Python', () => {
  it('standardises alike', () => {
    near(space.centre, golden.centre, 1e-12)
    near(space.scale, golden.scale, 1e-12)
  })

  it('sees the same mean embedding and pull', () => {
    const { target, gradient } = new Sample(inUnits).pull(at)
    near(target, golden.target)
    near(gradient, golden.pull.flat())
    near(new Sample(inUnits).meanEmbedding(at), golden.target)
  })

  it('has the same kernel', () => {
    const { gram, steepness } = gramAndSteepness(at)
    near(gram, golden.gram.flat(), 1e-12)
    near(steepness, golden.steepness.flat(), 1e-12)
  })

  it('solves for the same weights', () => {
    const gram = flat(golden.gram)
    for (let i = 0; i < at.rows; i++)
      gram[i * at.rows + i] = (gram[i * at.rows + i] as number) + 0.08
    const floor = 5 / rows.rows
    const free = new Uint8Array(at.rows)
    near(simplexWeights(gram, Float64Array.from(golden.target), floor, free), golden.weights, 1e-7)
  })

  it('audits alike', () => {
    const placed: Records = {
      values: Float32Array.from(golden.placed.flat()),
      rows: golden.placed.length,
      columns: d,
    }
    const told = audit(placed, Float64Array.from(golden.weights), new Lanes(standard))
    expect(told.close).toBeCloseTo(golden.audit.close, 12)
    expect(told.disclosed).toBeCloseTo(golden.audit.disclosed, 12)
    expect(told.nearest).toBeCloseTo(golden.audit.nearest, 6)
    expect(told.smallestCluster).toBeCloseTo(golden.audit.smallestCluster, 6)
  })
})
