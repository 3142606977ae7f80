import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Script } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const load = createRequire(import.meta.url);
const start = load('../../.ci/start.cjs') as (file: string) => Record<string, unknown>;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-start-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function script(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** What V8 keeps of another text that is as long. */
function compiledOf(file: string, text: string): Buffer {
  const head = '(function (exports, require, module, __filename, __dirname) {';
  const compiled = new Script(`${head}${text}\n})`, { filename: file });
  (compiled.runInThisContext() as (exports: object) => void)({});
  return compiled.createCachedData();
}

describe('a built script', () => {
  it('runs without compiled code, and with other scripts and packages', () => {
    script('part.js', 'exports.sum = (a, b) => a + b;');
    const file = script(
      'main.js',
      "const { sum } = require('./part.js');\n" +
        "const { basename } = require('node:path');\n" +
        'exports.text = `ß ${sum(2, 3)} ${basename(__filename)} ${basename(__dirname)}`;',
    );
    expect(start(file)['text']).toBe(`ß 5 main.js ${path.basename(folder)}`);
  });

  it('runs once, whoever requires it', () => {
    script('part.js', 'exports.object = {};');
    const part = "require('./part.js').object";
    const file = script('main.js', `exports.same = ${part} === ${part};`);
    expect(start(file)['same']).toBe(true);
  });

  it('runs from compiled code that V8 takes', () => {
    const file = script('main.js', 'exports.number = 1;');
    writeFileSync(`${file}.cache`, compiledOf(file, 'exports.number = 2;'));
    // Proof that it was taken: nothing but its length tells V8 one text from another.
    expect(start(file)['number']).toBe(2);
  });

  it.each([
    ['another version of V8', (bytes: Buffer) => bytes.fill(0x55, 4, 8)],
    ['other flags', (bytes: Buffer) => bytes.fill(0x55, 12, 16)],
    ['a torn write', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['something else', () => Buffer.from('no compiled code at all')],
    ['nothing', () => Buffer.alloc(0)],
  ])('is compiled again when what was kept is of %s', (_, spoil) => {
    const file = script('main.js', 'exports.number = 1;');
    writeFileSync(`${file}.cache`, spoil(compiledOf(file, 'exports.number = 2;')));
    expect(start(file)['number']).toBe(1);
  });
});

it('a script that throws names its own file, line and column', () => {
  const file = script('main.js', 'function fail() { throw new Error("no"); }\nfail();\n');
  let stack = '';
  try {
    start(file);
  } catch (thrown) {
    stack = (thrown as Error).stack ?? '';
  }
  expect(stack).toContain(`main.js:1:25)`);
  expect(stack).toContain(`main.js:2:1`);
});
