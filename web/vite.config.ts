import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vitest/config'

/** What is text goes out compressed; the service picks by what the browser accepts. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  // When all is written: before that, chunks do not know yet what they load.
  writeBundle({ dir = '' }, bundle) {
    for (const name of Object.keys(bundle)) {
      if (!/\.(js|css)$/.test(name)) continue
      const path = join(dir, name)
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }))
    }
  },
}

const service = process.env.BEIMINGWU_SERVICE ?? 'http://127.0.0.1:8088'

export default defineConfig({
  plugins: [react(), compressed],
  build: {
    outDir: '../src/beimingwu/server/static',
    emptyOutDir: true,
    // Inlined as data: they would be refused by the policy of our pages.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What every page needs is one chunk; what a page alone needs is loaded with it.
    chunkSizeWarningLimit: 800,
  },
  worker: { format: 'es' },
  server: { proxy: { '/v1': service, '/api': service } },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
})
