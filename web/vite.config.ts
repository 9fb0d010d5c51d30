import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import asc from 'assemblyscript/asc'
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

/** `simd/….ts?wasm` is what AssemblyScript compiles it to, in base64: a few kilobytes. */
const simd: Plugin = {
  name: 'simd',
  enforce: 'pre',
  async load(id) {
    const [path, query] = id.split('?')
    if (query !== 'wasm' || !path) return null
    this.addWatchFile(path)
    let binary = new Uint8Array()
    const { error, stderr } = await asc.main(
      [path, '--config', join(dirname(path), 'asconfig.json'), '--outFile', 'binary'],
      {
        writeFile: (name, content) => {
          if (name === 'binary') binary = content as Uint8Array
        },
      },
    )
    if (error) throw new Error(`${error.message}\n${stderr.toString()}`)
    return `export default ${JSON.stringify(Buffer.from(binary).toString('base64'))}`
  },
}

const service = process.env.BEIMINGWU_SERVICE ?? 'http://127.0.0.1:8088'

/** That compiling takes longest is no news. */
const checks = { bundlerTimings: false }

export default defineConfig({
  plugins: [react(), simd, compressed],
  build: {
    outDir: '../src/beimingwu/server/static',
    emptyOutDir: true,
    // Inlined as data: they would be refused by the policy of our pages.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What every page needs is one chunk; what a page alone needs is loaded with it.
    chunkSizeWarningLimit: 800,
    rolldownOptions: { checks },
  },
  worker: { format: 'es', plugins: () => [simd], rolldownOptions: { checks } },
  server: { proxy: { '/v1': service, '/api': service } },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
})
