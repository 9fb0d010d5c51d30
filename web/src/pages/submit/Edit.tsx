import { Button, Group, Progress, Skeleton, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got, type Learnware } from '../../api/client'
import { FilePick } from '../../components/FilePick'
import { Page } from '../../components/Page'
import { Problem } from '../../components/Problem'
import { SignedInOnly } from '../../components/SignedInOnly'
import { draftOf, semanticOf } from './draft'
import { Form } from './Form'
import { upload } from './upload'

/** A further revision: what is told of a learnware, its archive, or both. */
export function Edit() {
  const { t } = useTranslation()
  const { id } = useParams({ from: '/learnwares/$id/edit' })
  const { data, error, refetch } = useQuery({
    queryKey: ['editing', id],
    // What is edited stays as it was opened, so that nobody's change in between is written over.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    queryFn: async ({ signal }) => {
      const asked = api.GET('/v1/learnwares/{id}', { params: { path: { id } }, signal })
      const of: Learnware = await got(asked)
      return { of, etag: (await asked).response.headers.get('ETag') ?? '*' }
    },
  })
  return (
    <Page title={t('submit.edit', { id })} lead={t('submit.editLead')}>
      <SignedInOnly>
        {error && <Problem error={error} onRetry={() => void refetch()} />}
        {data ? <Revision of={data.of} etag={data.etag} /> : <Skeleton height={320} />}
      </SignedInOnly>
    </Page>
  )
}

function Revision({ of, etag }: { of: Learnware; etag: string }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [draft, setDraft] = useState(() => draftOf(of.semantic))
  const [file, setFile] = useState<File | null>(null)
  const [share, setShare] = useState<number | null>(null)
  const save = useMutation({
    mutationFn: async () => {
      const stop = new AbortController()
      const sent = file ? await upload(file, null, setShare, stop.signal) : null
      return got(
        api.PATCH('/v1/learnwares/{id}', {
          params: { path: { id: of.id }, header: { 'if-match': etag } },
          body: { semantic: semanticOf(draft, of.semantic), ...(sent ? { upload: sent } : {}) },
        }),
      )
    },
    onSuccess: async () => {
      await queries.invalidateQueries()
      await navigate({ to: '/learnwares/$id', params: { id: of.id } })
    },
    onSettled: () => setShare(null),
  })
  return (
    <Stack gap="xl">
      <Form draft={draft} onChange={setDraft} />
      <Stack component="section">
        <Title order={2} size="h3">
          {t('submit.newArchive')}
        </Title>
        <FilePick label={t('submit.drop')} accept=".zip" onPick={setFile} />
        {file && <Text role="status">{file.name}</Text>}
      </Stack>
      {save.error && <Problem error={save.error} />}
      {share !== null && <Progress value={100 * share} aria-label={t('submit.sending')} />}
      <Group>
        <Button loading={save.isPending} onClick={() => save.mutate()}>
          {t('submit.save')}
        </Button>
      </Group>
    </Stack>
  )
}
