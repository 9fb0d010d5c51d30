import i18n from 'i18next'
import { initReactI18next } from 'react-i18next'
import en from './en.json'
import zh from './zh.json'

export const LANGUAGES = { en: 'English', zh: '中文' } as const
export type Language = keyof typeof LANGUAGES
const KEPT = 'beimingwu-language'

/** What the reader chose before, or else what their browser prefers. */
export function preferred(kept: string | null, asked: readonly string[]): Language {
  if (kept === 'en' || kept === 'zh') return kept
  for (const language of asked) {
    if (language.startsWith('zh')) return 'zh'
    if (language.startsWith('en')) return 'en'
  }
  return 'en'
}

export function choose(language: Language): void {
  localStorage.setItem(KEPT, language)
  void i18n.changeLanguage(language)
}

i18n.on('languageChanged', (language) => {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
})

void i18n.use(initReactI18next).init({
  resources: { en: { translation: en }, zh: { translation: zh } },
  lng: preferred(localStorage.getItem(KEPT), navigator.languages),
  fallbackLng: false,
  interpolation: { escapeValue: false },
  returnNull: false,
})

export default i18n
