import { Button, Modal, Select, Stack, Text, Textarea } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got, type Schemas } from '../../api/client'
import { Problem } from '../../components/Problem'

type Reason = Schemas['NewReport']['reason']
const REASONS: readonly Reason[] = ['harmful', 'license', 'privacy', 'misleading', 'other']
const SHORTEST = 10

/** Tell the admins what is wrong with a learnware. */
export function Report({ id }: { id: string }) {
  const { t } = useTranslation()
  const [opened, dialog] = useDisclosure()
  const [reason, setReason] = useState<Reason>('other')
  const [text, setText] = useState('')
  const report = useMutation({
    mutationFn: () =>
      got(api.POST('/v1/reports', { body: { learnware: id, reason, text, contact: '' } })),
  })
  return (
    <>
      <Button variant="subtle" color="gray" onClick={dialog.open}>
        {t('report.report')}
      </Button>
      <Modal
        opened={opened}
        onClose={dialog.close}
        title={t('report.title')}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        {report.isSuccess ? (
          <Text role="status">{t('report.thanks')}</Text>
        ) : (
          <Stack>
            <Select
              label={t('report.reason')}
              data={REASONS.map((value) => ({ value, label: t(`report.reasons.${value}`) }))}
              value={reason}
              allowDeselect={false}
              onChange={(value) => setReason(value as Reason)}
            />
            <Textarea
              label={t('report.text')}
              value={text}
              minRows={4}
              autosize
              maxLength={4000}
              onChange={(event) => setText(event.currentTarget.value)}
            />
            {report.error && <Problem error={report.error} />}
            <Button
              disabled={text.trim().length < SHORTEST}
              loading={report.isPending}
              onClick={() => report.mutate()}
            >
              {t('report.send')}
            </Button>
          </Stack>
        )}
      </Modal>
    </>
  )
}
