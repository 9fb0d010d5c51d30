import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, got, type Learnware } from '../../api/client'
import type { Given, Specification } from '../../specify'
import { filterOf, type SearchAddress } from './address'

/** What a search by data found, as far as the page reads it (see `POST /v1/search`). */
export interface Found {
  fits: boolean
  island: { kind: string; shape: number[]; size: number; geometry: string } | null
  single: Match[]
  mixture: Mixture | null
  notes: string[]
  certificate: {
    farthest: number
    next_bound: number | null
    opened: number
    compared: number
  } | null
}

export interface Match {
  id: string
  score: number | null
  mmd: number | null
  coverage: number | null
  explanation: {
    sentence: string
    features: { name: string; yours: number; theirs: number; deviations: number }[]
  } | null
}

export interface Mixture {
  members: Match[]
  weights: number[]
  score: number
  coverage: number[]
  uncovered: number
}

/** Milliseconds between two looks at what is being verified. */
export const LOOK_AGAIN = 1500
export const UNFINISHED: readonly string[] = ['uploaded', 'verifying']

/** Learnwares by tags and text. */
export const listed = (address: SearchAddress, after: string | undefined) =>
  queryOptions({
    queryKey: ['learnwares', address, after],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }): Promise<Learnware[]> =>
      got(
        api.GET('/v1/learnwares', {
          params: { query: { ...address, limit: PAGE, ...(after ? { after } : {}) } as never },
          signal,
        }),
      ),
  })

export const PAGE = 20

export const facets = (address: SearchAddress) =>
  queryOptions({
    queryKey: ['facets', address],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      got(api.GET('/v1/learnwares/facets', { params: { query: address as never }, signal })),
  })

export const suggestions = (address: SearchAddress) =>
  queryOptions({
    queryKey: ['suggestions', address],
    enabled: Boolean(address.text),
    queryFn: ({ signal }) =>
      got(api.GET('/v1/learnwares/suggestions', { params: { query: address as never }, signal })),
  })

export const learnware = (id: string) =>
  queryOptions({
    queryKey: ['learnware', id],
    queryFn: ({ signal }): Promise<Learnware> =>
      got(api.GET('/v1/learnwares/{id}', { params: { path: { id } }, signal })),
    // What is being verified is published, or not, by itself.
    refetchInterval: ({ state }) =>
      state.data && UNFINISHED.includes(state.data.state) ? LOOK_AGAIN : false,
  })

/** Learnwares whose specification is near that of the reader's data: the newest question wins. */
export const nearest = (
  specification: Specification | Given,
  sent: number | string,
  address: SearchAddress,
) =>
  queryOptions({
    queryKey: ['nearest', sent, address],
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }): Promise<Found> =>
      got(
        api.POST('/v1/search', {
          body: { specification, filter: filterOf(address), limit: PAGE } as never,
          signal,
        }) as never,
      ),
  })
