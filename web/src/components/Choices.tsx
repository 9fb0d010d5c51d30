import { ActionIcon, Button, Group, Tooltip, useMantineColorScheme } from '@mantine/core'
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { choose, LANGUAGES, type Language } from '../i18n'

const SCHEMES = ['auto', 'light', 'dark'] as const
const ICONS = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon }

/** The reader's language and colours, remembered by the browser. */
export function Choices() {
  const { t, i18n } = useTranslation()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const other: Language = i18n.language === 'zh' ? 'en' : 'zh'
  const Icon = ICONS[colorScheme]
  const next = SCHEMES[(SCHEMES.indexOf(colorScheme) + 1) % SCHEMES.length] ?? 'auto'
  const label = t('shell.colours', { now: t(`shell.scheme.${colorScheme}`) })
  return (
    <Group gap={4} wrap="nowrap">
      <Button
        variant="subtle"
        size="compact-sm"
        lang={other === 'zh' ? 'zh-CN' : 'en'}
        onClick={() => choose(other)}
      >
        {LANGUAGES[other]}
      </Button>
      <Tooltip label={label}>
        <ActionIcon variant="subtle" onClick={() => setColorScheme(next)} aria-label={label}>
          <Icon size={18} />
        </ActionIcon>
      </Tooltip>
    </Group>
  )
}
