import { parse } from 'papaparse'
import type { Column, Given, Table } from './index'

/** Words for a value that is not there, as pandas reads them. */
const MISSING = new Set([
  '',
  'na',
  'n/a',
  'nan',
  'null',
  'none',
  '-',
  '#n/a',
  '<na>',
  'inf',
  '-inf',
])

/** A file that is no table; the message is a key of our texts. */
export class NoTable extends Error {}

/** Return what a file holds where it is a specification already, or null. */
export async function readGiven(file: File): Promise<Given | null> {
  if (!file.name.toLowerCase().endsWith('.json')) return null
  try {
    const told: unknown = JSON.parse(decoded(new Uint8Array(await file.arrayBuffer())))
    const given = told as Given
    return Array.isArray(given?.z) && Array.isArray(given.beta) ? given : null
  } catch {
    return null
  }
}

/** Read a file that was dropped: CSV, JSON or Parquet. Nothing of it is sent anywhere. */
export async function readTable(file: File): Promise<Table> {
  const name = file.name.toLowerCase()
  if (name.endsWith('.parquet') || name.endsWith('.pq')) return parquet(file)
  const text = decoded(new Uint8Array(await file.arrayBuffer()))
  if (name.endsWith('.json')) return json(file.name, text)
  return csv(file.name, text)
}

/** Text in the encoding that its first bytes tell, UTF-8 where it is valid, or else GB 18030. */
export function decoded(content: Uint8Array): string {
  const [a, b] = content
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(content)
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(content)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    return new TextDecoder('gb18030').decode(content)
  }
}

function csv(name: string, text: string): Table {
  const { data } = parse<string[]>(text, { skipEmptyLines: 'greedy' })
  const [header, ...rows] = data
  if (!header || rows.length === 0) throw new NoTable('specify.notATable')
  const named = header.some((cell) => Number.isNaN(number(cell)) && !isMissing(cell))
  const names = named ? header : header.map((_, j) => `feature ${j}`)
  const records = named ? rows : data
  return {
    name,
    rows: records.length,
    columns: names.map((column, j) =>
      columnOf(
        column,
        records.map((row) => row[j]),
      ),
    ),
  }
}

function json(name: string, text: string): Table {
  let told: unknown
  try {
    told = JSON.parse(text)
  } catch {
    throw new NoTable('specify.notATable')
  }
  const columns: Record<string, unknown[]> = {}
  if (Array.isArray(told)) {
    told.forEach((record: unknown, i) => {
      if (typeof record !== 'object' || record === null) throw new NoTable('specify.notATable')
      put(columns, record, i)
    })
    for (const values of Object.values(columns)) values.length = told.length
  } else if (typeof told === 'object' && told !== null) {
    for (const [key, values] of Object.entries(told)) {
      if (!Array.isArray(values)) throw new NoTable('specify.notATable')
      columns[key] = values
    }
  }
  return tableOf(name, columns)
}

async function parquet(file: File): Promise<Table> {
  const { parquetReadObjects } = await import('hyparquet')
  try {
    const content = await file.arrayBuffer()
    const records = await parquetReadObjects({ file: content })
    const columns: Record<string, unknown[]> = {}
    records.forEach((record, i) => {
      put(columns, record, i)
    })
    return tableOf(file.name, columns)
  } catch (error) {
    throw error instanceof NoTable ? error : new NoTable('specify.notParquet')
  }
}

function put(columns: Record<string, unknown[]>, record: object, i: number): void {
  for (const [key, value] of Object.entries(record)) {
    columns[key] ??= []
    columns[key][i] = value
  }
}

function tableOf(name: string, columns: Record<string, unknown[]>): Table {
  const lengths = new Set(Object.values(columns).map((values) => values.length))
  if (lengths.size !== 1) throw new NoTable('specify.notATable')
  return {
    name,
    rows: [...lengths][0] as number,
    columns: Object.entries(columns).map(([key, values]) => columnOf(key, Array.from(values))),
  }
}

/** The numbers of a column, or a value of it that is none. */
export function columnOf(name: string, given: readonly unknown[]): Column {
  const values = new Float64Array(given.length)
  let missing = 0
  for (let i = 0; i < given.length; i++) {
    const value = given[i]
    if (isMissing(value)) {
      values[i] = Number.NaN
      missing++
      continue
    }
    const found = number(value)
    if (Number.isNaN(found)) {
      return { name, values: null, missing, example: String(value).slice(0, 80) }
    }
    values[i] = found
  }
  const known = missing < given.length
  return { name, values: known ? values : null, missing, example: '' }
}

function isMissing(value: unknown): boolean {
  if (value === null || value === undefined) return true
  if (typeof value === 'number') return !Number.isFinite(value)
  return typeof value === 'string' && MISSING.has(value.trim().toLowerCase())
}

function number(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string') return Number.NaN
  const text = value.trim()
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true' ? 1 : 0
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
}
