import { text } from 'node:stream/consumers';
import { Check } from 'typebox/value';
import { SluiceError } from '../pipeline/errors.ts';
import { checkedIntegrity, OutputVerifier } from '../pipeline/integrity/output-verifier.ts';
import type { OutputVerdict } from '../pipeline/integrity/output-verifier.ts';
import { Manifest } from '../pipeline/protocol/index.ts';
import type { ManifestIntegrity, OutputPart } from '../pipeline/protocol/index.ts';
import { EXIT, type ExitCode } from './failure.ts';
import { formatCount } from './figures.ts';
import { openInput } from './input-source.ts';

export interface VerifyFlags {
  /** The root that the manifest must have. */
  readonly root?: string;
  readonly quiet?: boolean;
}

/** `sluice verify`: whether a file is, byte for byte, the result that a manifest speaks of. */
export async function verify(
  manifestFile: string,
  outputFile: string,
  flags: VerifyFlags,
): Promise<ExitCode> {
  const integrity = checkedIntegrity(await readManifest(manifestFile));
  if (flags.root !== undefined && flags.root.toLowerCase() !== integrity.root) {
    process.stderr.write(`sluice: the manifest's root is ${integrity.root}, not ${flags.root}\n`);
    return EXIT.failed;
  }
  const verifier = new OutputVerifier(integrity);
  const output = await openInput(outputFile);
  for await (const bytes of output.open()) verifier.push(bytes as Buffer);
  const verdict = verifier.finish();
  if (verdict.kind !== 'whole') {
    process.stderr.write(`sluice: ${outputFile}: ${describeVerdict(verdict, integrity)}\n`);
    return EXIT.failed;
  }
  if (flags.quiet !== true) process.stdout.write(wholeText(outputFile, integrity));
  return EXIT.done;
}

/** What is wrong with an output, and where. */
export function describeVerdict(
  verdict: Exclude<OutputVerdict, { kind: 'whole' }>,
  { output }: ManifestIntegrity,
): string {
  switch (verdict.kind) {
    case 'changed':
      return (
        `differs from the result first within ${placeOf(verdict.part)}; ` +
        `${verdict.partsDiffering} of ${output.parts.length} parts differ`
      );
    case 'cut':
      return (
        `ends after ${verdict.bytes} of ${output.bytes} bytes, within ${placeOf(verdict.part)}; ` +
        'all before is right'
      );
    case 'longer':
      return `has ${verdict.extraBytes} bytes after the end of the result; all before is right`;
  }
}

function placeOf({ kind, chunk, start, end, firstRecord, records }: OutputPart): string {
  const bytes = `bytes ${start} to ${end}`;
  if (kind === 'header' || kind === 'footer') return `${bytes} (the ${kind})`;
  if (chunk === null || firstRecord === null || records === null) return bytes;
  return `${bytes} (chunk ${chunk}, records ${firstRecord + 1} to ${firstRecord + records})`;
}

function wholeText(file: string, { output, root, failedChunks }: ManifestIntegrity): string {
  const lack =
    failedChunks.length === 0 ? '' : `; the result lacks ${failedChunks.length} failed chunks`;
  const counts = `${formatCount(output.bytes)} bytes, ${formatCount(output.records)} records`;
  return `${file} is the result: ${counts}${lack}\nroot ${root}\n`;
}

async function readManifest(file: string): Promise<Manifest> {
  let document: unknown;
  try {
    document = JSON.parse(await text((await openInput(file)).open()));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw notAManifest(file, thrown);
  }
  if (!Check(Manifest, document)) throw notAManifest(file);
  return document;
}

function notAManifest(file: string, cause?: unknown): SluiceError {
  const message = `${file} is not a manifest of version 2: get it from /api/jobs/ID/manifest`;
  return new SluiceError('bad-request', message, { cause });
}
