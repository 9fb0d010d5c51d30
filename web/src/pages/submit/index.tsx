import { Alert, Button, Group, List, Progress, Stack, Text, Title } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiProblem, api, got } from '../../api/client'
import { FilePick } from '../../components/FilePick'
import { bytes } from '../../components/facts'
import { Page } from '../../components/Page'
import { Problem } from '../../components/Problem'
import { SignedInOnly } from '../../components/SignedInOnly'
import { type Archive, readArchive } from './archive'
import { type Draft, draftOf, keepDraft, keptDraft, semanticOf } from './draft'
import { Form } from './Form'
import { upload } from './upload'

export function Submit() {
  const { t } = useTranslation()
  return (
    <Page title={t('submit.title')} lead={t('submit.lead')}>
      <SignedInOnly>
        <Steps />
      </SignedInOnly>
    </Page>
  )
}

interface Chosen {
  number: number
  file: File
  archive: Archive
}

/** The archive, what is told of it, and sending both. */
function Steps() {
  const { t } = useTranslation()
  const [chosen, setChosen] = useState<Chosen | null>(null)
  const [draft, setDraft] = useState(keptDraft)
  const change = (next: Draft) => {
    setDraft(next)
    keepDraft(next)
  }
  const open = async (file: File) => {
    const archive = await readArchive(file)
    setChosen((before) => ({ number: (before?.number ?? 0) + 1, file, archive }))
    if (archive.semantic) change({ ...draft, ...draftOf(archive.semantic) })
    else if (!draft.inputs) change({ ...draft, inputs: featuresOf(archive).join('\n') })
  }
  return (
    <Stack gap="xl">
      <Stack component="section">
        <Title order={2} size="h3">
          {t('submit.archive')}
        </Title>
        <FilePick label={t('submit.drop')} accept=".zip" onPick={(file) => void open(file)} />
        {chosen && <Checked of={chosen} />}
      </Stack>
      <Stack component="section">
        <Title order={2} size="h3">
          {t('submit.told')}
        </Title>
        <Form draft={draft} onChange={change} />
      </Stack>
      {/* Another file is another upload: nothing of one that was begun goes on with it. */}
      <Sending key={chosen?.number ?? 0} chosen={chosen} draft={draft} />
    </Stack>
  )
}

function featuresOf(archive: Archive): string[] {
  const features = archive.specification?.v2?.features
  return Array.isArray(features) ? features.map(String) : []
}

/** What was found in the archive, in the browser, before a byte of it is sent. */
function Checked({ of: { file, archive } }: { of: Chosen }) {
  const { t } = useTranslation()
  const points = Array.isArray(archive.specification?.z) ? archive.specification.z : null
  return (
    <Stack gap="xs" role="status">
      <Text>
        {t('submit.holds', {
          name: file.name,
          size: bytes(file.size),
          count: archive.members.length,
        })}
      </Text>
      {points && <Text size="sm">{t('submit.points', { count: points.length })}</Text>}
      {archive.problems.length > 0 && (
        <Alert color="yellow" title={t('submit.looksWrong')}>
          <List size="sm">
            {archive.problems.map((problem) => (
              <List.Item key={problem}>{t(problem)}</List.Item>
            ))}
          </List>
        </Alert>
      )}
    </Stack>
  )
}

type Progressed =
  | { at: 'waiting' }
  | { at: 'sending'; share: number; id: string | null; stop: AbortController }
  | { at: 'paused'; share: number; id: string | null }
  | { at: 'failed'; id: string | null; error: unknown }

function Sending({ chosen, draft }: { chosen: Chosen | null; draft: Draft }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [state, setState] = useState<Progressed>({ at: 'waiting' })
  const missing =
    !draft.name.trim() || !draft.task || !draft.library || !draft.data || !draft.license.length
  const kept = 'id' in state ? state.id : null

  const begin = async ({ file, archive }: Chosen) => {
    const archived = archive.semantic ?? {}
    const stop = new AbortController()
    let id = kept
    let share = 0
    setState({ at: 'sending', share, id, stop })
    try {
      id = await upload(
        file,
        id,
        (now, known) => {
          id = known
          share = now
          setState({ at: 'sending', share, id, stop })
        },
        stop.signal,
      )
      // The service knows an upload that was submitted already: asked again, it is the same learnware.
      const entered = await got(
        api.POST('/v1/learnwares', { body: { upload: id, semantic: semanticOf(draft, archived) } }),
      )
      keepDraft(null)
      await navigate({ to: '/learnwares/$id', params: { id: entered.learnware } })
    } catch (error) {
      // An upload that is gone, or is not what it was announced to be, is begun anew.
      if (error instanceof ApiProblem && [404, 409].includes(error.status)) id = null
      setState(stop.signal.aborted ? { at: 'paused', share, id } : { at: 'failed', id, error })
    }
  }

  return (
    <Stack component="section">
      {state.at === 'failed' && <Problem error={state.error} />}
      {(state.at === 'sending' || state.at === 'paused') && (
        <Progress value={100 * state.share} aria-label={t('submit.sending')} />
      )}
      <Group>
        {state.at === 'sending' ? (
          <Button variant="default" onClick={() => state.stop.abort()}>
            {t('submit.pause')}
          </Button>
        ) : (
          <Button disabled={!chosen || missing} onClick={() => chosen && void begin(chosen)}>
            {t(state.at === 'paused' ? 'submit.goOn' : 'submit.submit')}
          </Button>
        )}
        {missing && <Text size="sm">{t('submit.missing')}</Text>}
      </Group>
    </Stack>
  )
}
