import { Button, Group, Modal, Text } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'

interface Question {
  title: string
  text: string
  action: string
  onConfirm: () => void
}

/** Ask before something that cannot be undone. Show `dialog` somewhere in the page. */
export function useConfirm(): { ask: (question: Question) => void; dialog: ReactNode } {
  const { t } = useTranslation()
  const [question, setQuestion] = useState<Question | null>(null)
  const close = () => setQuestion(null)
  const dialog = (
    <Modal
      opened={question !== null}
      onClose={close}
      title={question?.title}
      centered
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <Text mb="md">{question?.text}</Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={close} data-autofocus>
          {t('common.cancel')}
        </Button>
        <Button
          color="red.9"
          onClick={() => {
            question?.onConfirm()
            close()
          }}
        >
          {question?.action}
        </Button>
      </Group>
    </Modal>
  )
  return { ask: setQuestion, dialog }
}
