import vue from '@vitejs/plugin-vue';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const server = process.env['SLUICE_SERVER'] ?? 'http://127.0.0.1:5001';
const room = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  root: room,
  plugins: [vue()],
  build: {
    outDir: fileURLToPath(new URL('../dist/dashboard', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/api': server,
      '/healthz': server,
      '/socket.io': { target: server, ws: true },
    },
  },
});
