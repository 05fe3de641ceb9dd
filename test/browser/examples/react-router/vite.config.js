import { defineConfig } from 'vite';

export default defineConfig({
  // The library is a link here; what it imports is this folder's.
  resolve: { preserveSymlinks: true },
  esbuild: { jsx: 'automatic' },
  build: { emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
