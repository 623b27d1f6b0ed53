// Builds the console into dist/: index.html, its script and stylesheet, and a script for each page that is loaded
// when somebody goes there, named by their content, each compressed. What is sent is exactly what is stored.
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { writeTypes } from './types.mjs';

const dist = new URL('dist/', import.meta.url);
const at = (name) => new URL(name, dist);

writeTypes();
const { outputFiles, metafile } = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: { app: 'src/main.tsx' },
  bundle: true, minify: true, write: false, outdir: 'dist', metafile: true, splitting: true, entryNames: '[name].[hash]', chunkNames: '[name].[hash]',
  format: 'esm', target: ['es2022'], jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none',
});

for (const name of readdirSync(dist)) if (name !== 'placeholder.html') rmSync(at(name));

const sizes = new Map();
function store(name, bytes) {
  const packed = gzipSync(bytes, { level: 9 });
  sizes.set(name, packed.length);
  writeFileSync(at(`${name}.gz`), packed);
}
for (const file of outputFiles) store(basename(file.path), file.contents);

/** What the page needs before it shows anything: the entry, and what that imports. */
const outputs = Object.fromEntries(Object.entries(metafile.outputs).map(([path, o]) => [basename(path), o]));
const entry = Object.keys(outputs).find((name) => outputs[name].entryPoint === 'src/main.tsx');
const first = [entry], style = basename(outputs[entry].cssBundle);
for (const name of first) for (const i of outputs[name].imports) if (i.kind === 'import-statement' && !first.includes(basename(i.path))) first.push(basename(i.path));
const ahead = first.slice(1).map((name) => `<link rel="modulepreload" href="/console/${name}">\n`).join('');
store('index.html', readFileSync(new URL('index.html', import.meta.url), 'utf8').replace('app.css', style).replace('app.js', entry).replace('<script', ahead + '<script'));

const kb = (names) => (names.reduce((sum, name) => sum + sizes.get(name), 0) / 1024).toFixed(1);
console.log(`console: ${kb([...first, style, 'index.html'])} KB compressed at first, ${kb([...sizes.keys()])} KB in all`);
