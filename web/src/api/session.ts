import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type Account, ApiProblem, api, got, keepCsrf } from './client'

export const SESSION = ['session'] as const

/** Who is signed in: an account, or null. */
export function useSession() {
  return useQuery({
    queryKey: SESSION,
    staleTime: 60_000,
    queryFn: async ({ signal }): Promise<Account | null> => {
      try {
        const found = await got(api.GET('/v1/sessions/current', { signal }))
        keepCsrf(found.csrf)
        return found.account
      } catch (problem) {
        if (problem instanceof ApiProblem && [401, 404].includes(problem.status)) return null
        throw problem
      }
    },
  })
}

export function useSignIn() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: { email: string; password: string }) =>
      got(api.POST('/v1/sessions', { body })),
    onSuccess: (found) => {
      keepCsrf(found.csrf)
      queries.clear()
      queries.setQueryData(SESSION, found.account)
    },
  })
}

export function useSignOut() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => got(api.DELETE('/v1/sessions/current')),
    onSuccess: () => {
      keepCsrf('')
      queries.clear()
      queries.setQueryData(SESSION, null)
    },
  })
}

export function isAdmin(account: Account | null | undefined): boolean {
  return account?.role === 'admin' || account?.role === 'super_admin'
}
