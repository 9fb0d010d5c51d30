import { ActionIcon, Box, Code, CopyButton, Tabs, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'

/** Code to copy and run, one way a tab. */
export function Snippets({ of }: { of: Record<string, string> }) {
  const names = Object.keys(of)
  return (
    <Tabs defaultValue={names[0] ?? null}>
      <Tabs.List>
        {names.map((name) => (
          <Tabs.Tab key={name} value={name}>
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {names.map((name) => (
        <Tabs.Panel key={name} value={name} pt="xs">
          <Snippet code={of[name] ?? ''} />
        </Tabs.Panel>
      ))}
    </Tabs>
  )
}

export function Snippet({ code }: { code: string }) {
  const { t } = useTranslation()
  return (
    <Box
      pos="relative"
      className="snippet"
      tabIndex={0}
      role="region"
      aria-label={t('common.code')}
    >
      <Code block>{code}</Code>
      <CopyButton value={code}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? t('common.copied') : t('common.copy')}>
            <ActionIcon
              pos="absolute"
              top={8}
              right={8}
              variant="default"
              onClick={copy}
              aria-label={copied ? t('common.copied') : t('common.copy')}
            >
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Box>
  )
}
