import { inflateSync } from 'fflate'

/** What an archive holds, as far as it can be told before it is sent. */
export interface Archive {
  members: string[]
  /** The parsed statistical specification, where there is one. */
  specification: { z?: unknown; v2?: { features?: unknown } } | null
  semantic: Record<string, unknown> | null
  /** Keys of our texts. */
  problems: string[]
}

interface Member {
  name: string
  method: number
  compressed: number
  offset: number
}

const TAIL = 66_000
/** A member larger than this is not looked into. */
const LARGEST = 64 * 2 ** 20

/** Look into a zip by its directory: only the few members that matter are read. */
export async function readArchive(file: Blob): Promise<Archive> {
  const members = await directory(file)
  if (!members)
    return {
      members: [],
      specification: null,
      semantic: null,
      problems: ['submit.notAZip'],
    }
  const names = members.map(({ name }) => name)
  const top = topFolder(names)
  const find = (name: string) => members.find((member) => member.name === top + name)
  const problems: string[] = []
  if (!find('learnware.yaml')) problems.push('submit.noManifest')
  const specification = members.find(({ name }) => /(^|\/)stat[^/]*\.json$/i.test(name))
  const parsed = specification ? await json(file, specification) : undefined
  if (parsed === null) problems.push('submit.specificationNotJson')
  if (!find('requirements.txt') && !find('environment.yaml')) problems.push('submit.noRequirements')
  const told = find('semantic_specification.json')
  return {
    members: names,
    specification: (parsed ?? null) as Archive['specification'],
    semantic: (told ? await json(file, told) : null) as Archive['semantic'],
    problems,
  }
}

/** Archives of 2024 may hold everything in one folder. */
function topFolder(names: string[]): string {
  const firsts = new Set(names.map((name) => name.slice(0, name.indexOf('/') + 1)))
  const [only] = firsts
  return firsts.size === 1 && only ? only : ''
}

async function directory(file: Blob): Promise<Member[] | null> {
  const from = Math.max(0, file.size - TAIL)
  const tail = new DataView(await file.slice(from).arrayBuffer())
  let end = tail.byteLength - 22
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--
  if (end < 0) return null
  const count = tail.getUint16(end + 10, true)
  const size = tail.getUint32(end + 12, true)
  const at = tail.getUint32(end + 16, true)
  const view = new DataView(await file.slice(at, at + size).arrayBuffer())
  const members: Member[] = []
  let place = 0
  for (let i = 0; i < count && place + 46 <= view.byteLength; i++) {
    if (view.getUint32(place, true) !== 0x02014b50) return null
    const length = view.getUint16(place + 28, true)
    members.push({
      name: new TextDecoder().decode(new Uint8Array(view.buffer, place + 46, length)),
      method: view.getUint16(place + 10, true),
      compressed: view.getUint32(place + 20, true),
      offset: view.getUint32(place + 42, true),
    })
    place += 46 + length + view.getUint16(place + 30, true) + view.getUint16(place + 32, true)
  }
  return members
}

async function text(file: Blob, member: Member): Promise<string | null> {
  if (member.compressed > LARGEST) return null
  const head = new DataView(await file.slice(member.offset, member.offset + 30).arrayBuffer())
  const from = member.offset + 30 + head.getUint16(26, true) + head.getUint16(28, true)
  const packed = new Uint8Array(await file.slice(from, from + member.compressed).arrayBuffer())
  try {
    return new TextDecoder().decode(member.method === 8 ? inflateSync(packed) : packed)
  } catch {
    return null
  }
}

async function json(file: Blob, member: Member): Promise<unknown> {
  try {
    return JSON.parse((await text(file, member)) ?? '')
  } catch {
    return null
  }
}
