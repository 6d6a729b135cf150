import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import cssInjectedByJs from 'vite-plugin-css-injected-by-js';

const here = dirname(fileURLToPath(import.meta.url));

/**
 * One UMD file a widget, as the dashboard loads it: the global's name is the widget's type, Vue is the dashboard's own
 * (window.Vue), the styles are inside the script.
 *
 * @param {string} type folder under ui/widgets
 * @returns {import('vite').InlineConfig}
 */
export function widgetConfig(type) {
  return {
    configFile: false,
    root: here,
    logLevel: 'warn',
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [vue(), cssInjectedByJs({ attributes: { id: `opti-quality-${type}` } })],
    build: {
      outDir: join(here, '..', 'resources'),
      emptyOutDir: false,
      target: 'es2022',
      sourcemap: false,
      reportCompressedSize: false,
      lib: {
        entry: join(here, 'widgets', type, 'index.ts'),
        name: type,
        formats: ['umd'],
        fileName: () => `${type}.umd.js`,
      },
      rollupOptions: { external: ['vue'], output: { globals: { vue: 'Vue' }, exports: 'named' } },
    },
  };
}

/** `npx vite build -c ui/vite.config.mjs` builds the widget named in WIDGET; ui/build.mjs builds all. */
export default widgetConfig(process.env.WIDGET ?? 'ui-inspection-view');
