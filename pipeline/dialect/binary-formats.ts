import { SluiceError } from '../errors.ts';

interface BinaryFormat {
  readonly magic: readonly number[];
  /** Letters only: taken for the format when a control byte follows close behind. */
  readonly textual?: boolean;
  readonly name: string;
  readonly advice: string;
}

const SHEET = 'Save the sheet as CSV (UTF-8) and upload that.';
const TABLE = 'Export the table as CSV or NDJSON and upload that.';
const ARCHIVE = 'Unpack it and upload the table in it, as it is or compressed with gzip.';
const NOT_A_TABLE = 'Upload a CSV, TSV, NDJSON or JSON file.';

/** First bytes of files that are no text, with what their owner can do. */
const BINARY_FORMATS: readonly BinaryFormat[] = [
  {
    magic: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
    name: 'an old Excel or Office file',
    advice: SHEET,
  },
  { magic: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a], name: 'a PNG image', advice: NOT_A_TABLE },
  { magic: [0xff, 0xd8, 0xff], name: 'a JPEG image', advice: NOT_A_TABLE },
  { magic: letters('GIF8'), textual: true, name: 'a GIF image', advice: NOT_A_TABLE },
  { magic: letters('%PDF-'), name: 'a PDF document', advice: TABLE },
  { magic: letters('PAR1'), textual: true, name: 'a Parquet file', advice: TABLE },
  { magic: letters('ARROW1'), textual: true, name: 'an Arrow file', advice: TABLE },
  { magic: letters('FEA1'), textual: true, name: 'a Feather file', advice: TABLE },
  { magic: letters('ORC'), textual: true, name: 'an ORC file', advice: TABLE },
  { magic: [0x4f, 0x62, 0x6a, 0x01], name: 'an Avro file', advice: TABLE },
  { magic: letters('SQLite format 3\0'), name: 'an SQLite database', advice: TABLE },
  { magic: [0x89, 0x48, 0x44, 0x46], name: 'an HDF5 file', advice: TABLE },
  { magic: [0x7f, 0x45, 0x4c, 0x46], name: 'a program', advice: NOT_A_TABLE },
  { magic: letters('Rar!\x1a\x07'), name: 'a RAR archive', advice: ARCHIVE },
  { magic: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], name: 'a 7-Zip archive', advice: ARCHIVE },
];

/** Bytes looked at for the names inside a ZIP container. */
const ZIP_NAMES_BYTES = 4096;
/** The first name stands behind them. */
const ZIP_HEADER_BYTES = 30;
const CONTROL_BYTES = 32;
/** So few say nothing of a short text. */
const CONTROL_COUNT_MAX = 4;

/** Throws `input-format` when the bytes begin a file that is no text, saying what it is. */
export function refuseBinary(head: Uint8Array): void {
  const document = isZip(head) ? zippedDocument(head) : null;
  if (document !== null) throw refusal(document, head);
  for (const format of BINARY_FORMATS) {
    if (!startsWith(head, format.magic)) continue;
    if (format.textual === true && !hasControlByte(head)) continue;
    throw refusal(format, head);
  }
}

/** Throws `input-format` when more than `shareMax` of the bytes are control characters. */
export function refuseControls(sample: Uint8Array, shareMax: number): void {
  let count = 0;
  let first = -1;
  for (let i = 0; i < sample.length; i++) {
    if (!isControl(sample[i]!)) continue;
    if (count++ === 0) first = i;
  }
  if (count <= Math.max(CONTROL_COUNT_MAX, sample.length * shareMax)) return;
  throw new SluiceError(
    'input-format',
    `This is not text: ${count} of its first ${sample.length} bytes are control characters, the ` +
      `first at byte ${first}. ${NOT_A_TABLE} Text in UTF-32 has to be saved as UTF-8.`,
    { details: { byteOffset: first, count, sampleBytes: sample.length } },
  );
}

/** What is downloaded in place of a table when a link has expired, or wants a password. */
const MARKUP = /^\s*<(!doctype\s+html|html|\?xml)[\s>]/i;

/** Throws `input-format` when a text is a page or an XML document. */
export function refuseMarkup(text: Uint8Array): void {
  const [, tag] = MARKUP.exec(Buffer.from(text.subarray(0, 256)).toString('latin1')) ?? [];
  if (tag === undefined) return;
  const name = tag.toLowerCase() === '?xml' ? 'an XML document' : 'an HTML page';
  throw new SluiceError(
    'input-format',
    `This is ${name}, not a table. Look at what was downloaded, or export the table as CSV; ` +
      'state read.format: csv to read its lines as they are.',
    { details: { found: name } },
  );
}

export function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  if (bytes.length < magic.length) return false;
  return magic.every((byte, i) => bytes[i] === byte);
}

export function isZip(head: Uint8Array): boolean {
  return startsWith(head, [0x50, 0x4b, 0x03, 0x04]) || startsWith(head, [0x50, 0x4b, 0x05, 0x06]);
}

function refusal(format: { name: string; advice: string }, head: Uint8Array): SluiceError {
  return new SluiceError('input-format', `This is ${format.name}, not text. ${format.advice}`, {
    details: { found: format.name, firstBytes: Buffer.from(head.subarray(0, 8)).toString('hex') },
  });
}

/** What the first name in a ZIP container says of it; null for an archive of files. */
function zippedDocument(head: Uint8Array): { name: string; advice: string } | null {
  const text = Buffer.from(head.subarray(0, ZIP_NAMES_BYTES)).toString('latin1');
  const name = text.slice(ZIP_HEADER_BYTES);
  const isWorkbook = /^(_rels\/|docProps\/|xl\/)/.test(name);
  // A name that nobody else uses: a workbook is told though its header is damaged.
  if (isWorkbook || text.slice(0, 2 * ZIP_HEADER_BYTES).includes('[Content_Types].xml')) {
    return { name: 'an Excel workbook (xlsx)', advice: SHEET };
  }
  const isOpenDocument = name.startsWith('mimetype') && name.includes('application/vnd.oasis');
  return isOpenDocument ? { name: 'an OpenDocument sheet', advice: SHEET } : null;
}

function hasControlByte(head: Uint8Array): boolean {
  return head.subarray(0, CONTROL_BYTES).some(isControl);
}

function isControl(byte: number): boolean {
  return byte < 9 || (byte > 13 && byte < 32);
}

function letters(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}
