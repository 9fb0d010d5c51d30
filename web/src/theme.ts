import { createTheme, type MantineColorsTuple } from '@mantine/core'

/** One accent, the green-blue of deep water in the north; all else is grey. */
const water: MantineColorsTuple = [
  '#e8f6f5',
  '#d3eae8',
  '#a6d5d1',
  '#76bfb9',
  '#4fada6',
  '#36a19a',
  '#257f7d',
  '#1a6a6c',
  '#14545c',
  '#0c3f47',
]

export const theme = createTheme({
  colors: { water },
  primaryColor: 'water',
  primaryShade: 7,
  autoContrast: true,
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Noto Sans SC", "Microsoft YaHei", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, monospace',
  defaultRadius: 'md',
  headings: { fontWeight: '600' },
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Anchor: { defaultProps: { underline: 'always' } },
  },
})
