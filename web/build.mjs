// Builds the console into dist/: index.html, one script and one stylesheet, named by their content, each
// compressed. What is sent is exactly what is stored.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { writeTypes } from './types.mjs';

const dist = new URL('dist/', import.meta.url);
const at = (name) => new URL(name, dist);

writeTypes();
const { outputFiles } = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: { app: 'src/main.tsx' },
  bundle: true, minify: true, write: false, outdir: 'dist',
  format: 'esm', target: ['es2022'], jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none',
});

for (const name of readdirSync(dist)) if (name !== 'placeholder.html') rmSync(at(name));

let page = readFileSync(new URL('index.html', import.meta.url), 'utf8');
let total = 0;
function store(name, bytes) {
  const packed = gzipSync(bytes, { level: 9 });
  total += packed.length;
  writeFileSync(at(`${name}.gz`), packed);
}
for (const file of outputFiles) {
  const ext = file.path.split('.').at(-1);
  const name = `app.${createHash('sha256').update(file.contents).digest('hex').slice(0, 12)}.${ext}`;
  store(name, file.contents);
  page = page.replace(`app.${ext}`, name);
}
store('index.html', page);
console.log(`console: ${(total / 1024).toFixed(1)} KB compressed`);
