import createClient, { type Middleware } from 'openapi-fetch'
import i18n from '../i18n'
import type { components, paths } from './schema'

export type Schemas = components['schemas']
export type Account = Schemas['AccountView']
export type Learnware = Schemas['LearnwareView']

/** What the service says went wrong (RFC 9457), in the reader's language where it has a name. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    title: string,
    readonly remedy: string,
    readonly request: string,
  ) {
    super(title)
    this.name = 'ApiProblem'
  }
}

/** Of the session; asked for anew with every page, and never kept anywhere but here. */
let csrf = ''

export function keepCsrf(value: string): void {
  csrf = value
}

const around: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', i18n.language)
    if (csrf && request.method !== 'GET' && request.method !== 'HEAD') {
      request.headers.set('X-CSRF-Token', csrf)
    }
    return request
  },
}

export const api = createClient<paths>({ baseUrl: window.location.origin })
api.use(around)

/** Send something that is no JSON, with what every request of ours carries. */
export async function send(path: string, options: RequestInit): Promise<Response> {
  const headers = new Headers(options.headers)
  headers.set('Accept-Language', i18n.language)
  if (csrf) headers.set('X-CSRF-Token', csrf)
  const response = await fetch(path, { ...options, headers }).catch(unreachable)
  if (!response.ok) throw problemOf(response, await response.json().catch(() => ({})))
  return response
}

interface Answer<Data> {
  data?: Data
  error?: unknown
  response: Response
}

/** The data of an answer; a problem where there is none. */
export async function got<Data>(asked: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await asked.catch(unreachable)
  if (!response.ok) throw problemOf(response, error)
  return data as Data
}

function unreachable(reason: unknown): never {
  if (reason instanceof DOMException && reason.name === 'AbortError') throw reason
  throw new ApiProblem(
    0,
    'unreachable',
    i18n.t('errors.unreachable'),
    i18n.t('errors.tryAgain'),
    '',
  )
}

export function problemOf(response: Response, told: unknown): ApiProblem {
  const problem = (told ?? {}) as Record<string, unknown>
  const text = (name: string) =>
    typeof problem[name] === 'string' ? (problem[name] as string) : ''
  const code = text('code') || `http.${response.status}`
  const known = `errors.codes.${code.replaceAll('.', '_')}`
  const own =
    text('detail') || text('title') || i18n.t('errors.unknown', { status: response.status })
  return new ApiProblem(
    response.status,
    code,
    i18n.exists(known) ? i18n.t(known) : own,
    text('remedy'),
    text('request_id') || (response.headers.get('X-Request-ID') ?? ''),
  )
}
