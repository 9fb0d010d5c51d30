import { described, type Semantic, textOf } from '../../components/facts'

/** What its owner tells of a learnware, as it stands in the form. */
export interface Draft {
  name: string
  description: string
  data: string
  task: string
  library: string
  model: string
  scenario: string[]
  license: string[]
  /** One description a line. */
  inputs: string
  outputs: string
}

export const EMPTY: Draft = {
  name: '',
  description: '',
  data: 'Table',
  task: '',
  library: '',
  model: '',
  scenario: [],
  license: [],
  inputs: '',
  outputs: '',
}

const KEPT = 'beimingwu-draft'

/** A draft survives a closed tab. */
export function keptDraft(): Draft {
  try {
    return { ...EMPTY, ...(JSON.parse(localStorage.getItem(KEPT) ?? '{}') as Partial<Draft>) }
  } catch {
    return EMPTY
  }
}

export function keepDraft(draft: Draft | null): void {
  if (draft) localStorage.setItem(KEPT, JSON.stringify(draft))
  else localStorage.removeItem(KEPT)
}

export function draftOf(semantic: Semantic): Draft {
  const values = (key: string) => {
    const found = (semantic[key] as { Values?: unknown } | undefined)?.Values
    return Array.isArray(found) ? found.map(String) : []
  }
  return {
    name: textOf(semantic, 'Name'),
    description: textOf(semantic, 'Description'),
    data: values('Data')[0] ?? '',
    task: values('Task')[0] ?? '',
    library: values('Library')[0] ?? '',
    model: values('Model')[0] ?? '',
    scenario: values('Scenario'),
    license: values('License'),
    inputs: linesOf(semantic, 'Input'),
    outputs: linesOf(semantic, 'Output'),
  }
}

function linesOf(semantic: Semantic, key: 'Input' | 'Output'): string {
  return described(semantic, key)
    .map(([, text]) => text)
    .join('\n')
}

/** The draft in the form that the service reads; what it leaves as it was is as the archive tells it. */
export function semanticOf(draft: Draft, archived: Semantic): Semantic {
  const tags = (values: string[], type: 'Class' | 'Tag') => ({
    Type: type,
    Values: values.filter(Boolean),
  })
  const semantic: Semantic = {
    Data: tags([draft.data], 'Class'),
    Task: tags([draft.task], 'Class'),
    Library: tags([draft.library], 'Class'),
    Scenario: tags(draft.scenario, 'Tag'),
    License: tags(draft.license, 'Class'),
    Name: { Type: 'String', Values: draft.name.trim() },
    Description: { Type: 'String', Values: draft.description },
  }
  if (draft.model) semantic.Model = tags([draft.model], 'Class')
  if (draft.data === 'Table') put(semantic, 'Input', draft.inputs, archived)
  put(semantic, 'Output', draft.outputs, archived)
  return semantic
}

/** What nobody changed stays whole: its dimension may be more than what has a description. */
function put(semantic: Semantic, key: 'Input' | 'Output', text: string, archived: Semantic): void {
  if (archived[key] && text.trim() === linesOf(archived, key).trim()) semantic[key] = archived[key]
  else if (text.trim()) semantic[key] = numbered(text)
}

function numbered(text: string) {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
  return {
    Dimension: lines.length,
    Description: Object.fromEntries(lines.map((line, i) => [String(i), line])),
  }
}
