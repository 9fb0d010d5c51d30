/** A module for WebAssembly, compiled and in base64 (`vite.config.ts`). */
declare module '*?wasm' {
  const binary: string
  export default binary
}
