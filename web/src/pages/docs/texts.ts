import findEn from './en/find.md?raw'
import programEn from './en/program.md?raw'
import promisesEn from './en/promises.md?raw'
import shareEn from './en/share.md?raw'
import type { Tab } from './tabs'
import findZh from './zh/find.md?raw'
import programZh from './zh/program.md?raw'
import promisesZh from './zh/promises.md?raw'
import shareZh from './zh/share.md?raw'

/** The guide; DOCK stands for the address of this dock. */
export const TEXTS: Record<'en' | 'zh', Record<Tab, string>> = {
  en: { find: findEn, share: shareEn, program: programEn, promises: promisesEn },
  zh: { find: findZh, share: shareZh, program: programZh, promises: promisesZh },
}
