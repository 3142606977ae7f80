import { Readable } from 'node:stream';
import type { Multipart, MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { SluiceError, toSluiceError } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { StoredLookup } from '../../pipeline/protocol/index.ts';
import { displayName } from './display-name.ts';
import { uploadTooLarge } from './upload-body.ts';
import { checkedPlan } from './upload-request.ts';

/** A form upload: the fields `plan`, `name`, `size`, files called `lookup`, then one file, in this
 *  order. */
export interface MultipartUpload {
  readonly plan: string;
  readonly lookups: readonly StoredLookup[];
  /** The field `name`, else the file part's own name. */
  readonly name: string | undefined;
  readonly contentType: string;
  /** From the field `size`; the form's Content-Length would count the form as well. */
  readonly bytesTotal: number | null;
  /** Ends only after the form was seen to end well: fails when anything follows the file. */
  readonly body: Readable;
}

const FIELDS = new Set(['plan', 'name', 'size']);

const LOOKUP = 'lookup';

/** Bounds of the parser: three fields and the files, plus one of each so that we can say so. */
const PARSER_LIMITS = {
  fieldNameSize: 100,
  fieldSize: LIMITS.planBytesMax + 1,
  fields: FIELDS.size + 1,
  fileSize: LIMITS.uploadBytesMax,
  files: LIMITS.lookupCountMax + 2,
  parts: FIELDS.size + LIMITS.lookupCountMax + 3,
  headerPairs: 32,
};

/** Reads the form up to its file. Lookups are handed to `addLookup` as they come. */
export async function readMultipart(
  request: FastifyRequest,
  addLookup: (name: string, body: Readable) => Promise<StoredLookup>,
): Promise<MultipartUpload> {
  const parts = request.parts({ limits: PARSER_LIMITS });
  const fields = new Map<string, string>();
  const lookups: StoredLookup[] = [];
  for (;;) {
    const part = await nextPart(parts);
    if (part === null) throw badForm('the form has no file part');
    if (part.type !== 'file') {
      takeField(part, fields);
    } else if (part.fieldname === LOOKUP) {
      if (lookups.length === LIMITS.lookupCountMax) throw badForm(TOO_MANY_LOOKUPS);
      lookups.push(await addLookup(lookupName(part.filename), part.file));
    } else return { ...uploadOf(part, fields, parts), lookups };
  }
}

const TOO_MANY_LOOKUPS = `the form has more than ${LIMITS.lookupCountMax} lookups`;

function lookupName(given: string): string {
  if (given === '') throw badForm('a lookup needs a file name: plans name it by that');
  return displayName(given, '');
}

function uploadOf(
  file: MultipartFile,
  fields: ReadonlyMap<string, string>,
  parts: AsyncIterator<Multipart>,
): Omit<MultipartUpload, 'lookups'> {
  return {
    plan: fields.get('plan') ?? '',
    name: fields.get('name') ?? file.filename,
    contentType: file.mimetype,
    bytesTotal: sizeOf(fields.get('size')),
    body: bodyOf(file, parts),
  };
}

function bodyOf(file: MultipartFile, parts: AsyncIterator<Multipart>): Readable {
  return Readable.from(fileThenEnd(file, parts), { objectMode: false });
}

async function* fileThenEnd(
  { file }: MultipartFile,
  parts: AsyncIterator<Multipart>,
): AsyncGenerator<Buffer> {
  try {
    yield* file as AsyncIterable<Buffer>;
  } catch (error) {
    throw truncated(error);
  }
  if (file.truncated) throw uploadTooLarge();
  const next = await nextPart(parts);
  if (next === null) return;
  if (next.type === 'file') next.file.resume();
  throw badForm(
    next.type === 'file'
      ? next.fieldname === LOOKUP
        ? 'a lookup comes after the file; lookups must come before it'
        : 'the form has a second file; send one file a job'
      : `the field "${shown(next.fieldname)}" comes after the file; fields must come before it`,
  );
}

async function nextPart(parts: AsyncIterator<Multipart>): Promise<Multipart | null> {
  try {
    const step = await parts.next();
    return step.done === true ? null : step.value;
  } catch (error) {
    throw formError(error);
  }
}

function takeField(part: Exclude<Multipart, MultipartFile>, fields: Map<string, string>): void {
  const { fieldname, value, valueTruncated } = part;
  if (!FIELDS.has(fieldname)) {
    throw badForm(
      `unknown field "${shown(fieldname)}"; known are plan, name, size, lookup files and a file`,
    );
  }
  if (fields.has(fieldname)) throw badForm(`the field "${fieldname}" is given twice`);
  // A field of type application/json arrives parsed.
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (valueTruncated && fieldname !== 'plan') throw badForm(`the field "${fieldname}" is too long`);
  fields.set(fieldname, fieldname === 'plan' ? checkedPlan(text) : text);
}

function sizeOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const bytes = Number(text);
  if (!/^\d{1,15}$/.test(text)) throw badForm('the field "size" is not a count of bytes');
  if (bytes > LIMITS.uploadBytesMax) throw uploadTooLarge();
  return bytes;
}

/** Errors of the form's parser in our words. */
function formError(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  if (code === 'FST_REQ_FILE_TOO_LARGE') return uploadTooLarge();
  if (typeof code === 'string' && /^FST_(PARTS|FILES|FIELDS)_LIMIT$/.test(code)) {
    return badForm('the form has too many parts; send plan, name, size and one file');
  }
  if (code === 'FST_MP_PREMATURE_CLOSE' || isParserError(error)) return truncated(error);
  const message = error instanceof Error ? error.message : String(error);
  return new SluiceError('bad-request', `the form is not valid: ${message}`, { cause: error });
}

function isParserError(error: unknown): boolean {
  return error instanceof Error && /unexpected end|terminated early/i.test(error.message);
}

function truncated(cause: unknown): SluiceError {
  const known = toSluiceError(cause);
  if (known.code !== 'internal' && known.code !== 'aborted') return known;
  return new SluiceError('input-truncated', 'the form ended before the file was complete', {
    cause,
  });
}

function badForm(message: string): SluiceError {
  return new SluiceError('bad-request', message);
}

function shown(name: string): string {
  return name.slice(0, 40);
}
