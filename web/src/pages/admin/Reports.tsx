import { Button, Group, Paper, Skeleton, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got, type Schemas } from '../../api/client'
import { Moment } from '../../components/facts'
import { PageLink } from '../../components/links'
import { Problem } from '../../components/Problem'

/** What people say is wrong, the oldest first. */
export function Reports() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'reports'],
    queryFn: ({ signal }) =>
      got(api.GET('/v1/admin/reports', { params: { query: { state: 'open' } }, signal })),
  })
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Skeleton height={240} />
  if (data.length === 0) return <Text>{t('admin.noReports')}</Text>
  return (
    <Stack>
      {data.map((report) => (
        <Report key={report.id} of={report} />
      ))}
    </Stack>
  )
}

function Report({ of }: { of: Schemas['ReportView'] }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const [note, setNote] = useState('')
  const close = useMutation({
    mutationFn: (outcome: 'dismissed' | 'upheld') =>
      got(
        api.POST('/v1/admin/reports/{id}/close', {
          params: { path: { id: of.id } },
          body: { outcome, note },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['admin'] }),
  })
  return (
    <Paper withBorder p="md" component="article">
      <Stack gap="xs">
        <Text size="sm">
          <PageLink to="/learnwares/$id" params={{ id: of.learnware }}>
            {of.learnware}
          </PageLink>{' '}
          · {t(`report.reasons.${of.reason}`)} · <Moment at={of.created} />
          {of.contact && ` · ${of.contact}`}
        </Text>
        <Text style={{ whiteSpace: 'pre-wrap' }}>{of.text}</Text>
        <Textarea
          label={t('admin.note')}
          value={note}
          autosize
          maxLength={4000}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {close.error && <Problem error={close.error} />}
        <Group>
          <Button color="red.9" loading={close.isPending} onClick={() => close.mutate('upheld')}>
            {t('admin.uphold')}
          </Button>
          <Button
            variant="default"
            disabled={close.isPending}
            onClick={() => close.mutate('dismissed')}
          >
            {t('admin.dismiss')}
          </Button>
        </Group>
      </Stack>
    </Paper>
  )
}
