import { Alert, Badge, Skeleton, Stack, Table } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, got, type Learnware } from '../../api/client'
import { bytes, Moment } from '../../components/facts'
import { ButtonLink, PageLink } from '../../components/links'
import { Problem } from '../../components/Problem'

/** Those that need their owner first. */
const STATES = [
  'rejected',
  'verifying',
  'uploaded',
  'published',
  'withdrawn',
  'quarantined',
] as const
const LOOK_AGAIN = 3000

export function Learnwares() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery({
    queryKey: ['mine', 'learnwares'],
    queryFn: async ({ signal }): Promise<Learnware[]> => {
      const each = await Promise.all(
        STATES.map((state) =>
          got(
            api.GET('/v1/learnwares', {
              params: { query: { owner: 'me', state, limit: 1000 } },
              signal,
            }),
          ),
        ),
      )
      return each.flat()
    },
    // What is being verified changes by itself.
    refetchInterval: ({ state }) =>
      state.data?.some((one) => one.state === 'verifying' || one.state === 'uploaded')
        ? LOOK_AGAIN
        : false,
  })
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Skeleton height={200} />
  if (data.length === 0) {
    return (
      <Alert title={t('mine.none')}>
        <ButtonLink to="/submit" size="sm">
          {t('shell.submit')}
        </ButtonLink>
      </Alert>
    )
  }
  return (
    <Stack>
      <Table.ScrollContainer minWidth={480}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              {(['id', 'name', 'state', 'size', 'changed'] as const).map((head) => (
                <Table.Th key={head}>{t(`mine.table.${head}`)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.map((one) => (
              <Table.Tr key={one.id}>
                <Table.Td>{one.id}</Table.Td>
                <Table.Td>
                  <PageLink to="/learnwares/$id" params={{ id: one.id }}>
                    {one.name}
                  </PageLink>
                </Table.Td>
                <Table.Td>
                  <Badge variant="outline" tt="none">
                    {t(`state.${one.state}`)}
                  </Badge>
                </Table.Td>
                <Table.Td>{bytes(one.size)}</Table.Td>
                <Table.Td>
                  <Moment at={one.changed} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  )
}
