import { Badge, Group } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** A moment as the reader's clock tells it. */
export function Moment({ at }: { at: string }) {
  const { i18n } = useTranslation()
  const shown = new Intl.DateTimeFormat(i18n.language, { dateStyle: 'medium', timeStyle: 'short' })
  return <time dateTime={at}>{shown.format(new Date(at))}</time>
}

export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let size = count
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit++
  }
  return `${unit === 0 ? size : size.toPrecision(3)} ${units[unit]}`
}

/** The tags of a learnware; those that were asked for stand out. */
export function Tags({ semantic, asked = [] }: { semantic: Semantic; asked?: string[] }) {
  const wanted = new Set(asked)
  return (
    <Group gap={6}>
      {tagsOf(semantic).map((tag) => (
        <Badge
          key={tag}
          variant={wanted.has(tag) ? 'filled' : 'default'}
          tt="none"
          fw={wanted.has(tag) ? 700 : 400}
        >
          {tag}
        </Badge>
      ))}
    </Group>
  )
}

export type Semantic = Record<string, unknown>

const FACETS = ['Data', 'Task', 'Library', 'Model', 'Scenario', 'License']

export function tagsOf(semantic: Semantic): string[] {
  return FACETS.flatMap((key) => {
    const values = (semantic[key] as { Values?: unknown } | undefined)?.Values
    return Array.isArray(values) ? values.map(String) : []
  })
}

export function textOf(semantic: Semantic, key: 'Name' | 'Description'): string {
  const value = (semantic[key] as { Values?: unknown } | undefined)?.Values
  return typeof value === 'string' ? value : ''
}

/** The beginning of a description without its marks, for where there is room for a line or two. */
export function excerptOf(semantic: Semantic): string {
  return textOf(semantic, 'Description')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*_`#>|~]+|^\s*[-+]\s/gm, '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** The numbered descriptions of inputs or outputs, in their order. */
export function described(semantic: Semantic, key: 'Input' | 'Output'): [string, string][] {
  const told = (semantic[key] as { Description?: unknown } | undefined)?.Description
  if (typeof told !== 'object' || told === null) return []
  return Object.entries(told)
    .map(([number, text]): [string, string] => [number, String(text)])
    .sort(([a], [b]) => Number(a) - Number(b))
}
