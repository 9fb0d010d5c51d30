import { Button, Skeleton, Stack, Table, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { Moment } from '../../components/facts'
import { Problem } from '../../components/Problem'

const KEY = ['mine', 'sessions']

export function Sessions() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const { data, error, refetch } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => got(api.GET('/v1/sessions', { signal })),
  })
  const end = useMutation({
    mutationFn: (id: number) => got(api.DELETE('/v1/sessions/{id}', { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  })
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Skeleton height={160} />
  return (
    <Stack>
      {end.error && <Problem error={end.error} />}
      <Table>
        <Table.Tbody>
          {data.map((session) => (
            <Table.Tr key={session.id}>
              <Table.Td>
                <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                  {session.agent}
                </Text>
                <Text size="xs" c="dimmed">
                  {t('sessions.since')} <Moment at={session.created} />
                </Text>
              </Table.Td>
              <Table.Td>
                {session.current ? (
                  t('sessions.this')
                ) : (
                  <Button
                    size="compact-sm"
                    variant="default"
                    onClick={() => end.mutate(session.id)}
                  >
                    {t('sessions.end')}
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  )
}
