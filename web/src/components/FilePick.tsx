import { Button, Stack, Text } from '@mantine/core'
import { type ReactNode, useId, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

interface FilePickProps {
  label: string
  accept: string
  onPick: (file: File) => void
  children?: ReactNode
}

/** A place to drop a file, or to choose one by keyboard. */
export function FilePick({ label, accept, onPick, children }: FilePickProps) {
  const { t } = useTranslation()
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const id = useId()
  const take = (files: FileList | null) => {
    const file = files?.[0]
    if (file) onPick(file)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a way beside the button
    <div
      className="drop"
      data-over={over || undefined}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        take(event.dataTransfer.files)
      }}
    >
      <Stack align="center" gap="xs">
        <Text component="label" htmlFor={id}>
          {label}
        </Text>
        <input
          id={id}
          ref={input}
          type="file"
          accept={accept}
          hidden
          onChange={(event) => take(event.currentTarget.files)}
        />
        <Button variant="default" onClick={() => input.current?.click()}>
          {t('common.chooseFile')}
        </Button>
        {children}
      </Stack>
    </div>
  )
}
