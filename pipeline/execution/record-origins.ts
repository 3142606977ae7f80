import { invariant } from '../errors.ts';
import { slicesOf, type Entries } from '../exchange/entries.ts';
import { OWN_CHUNK } from '../exchange/own-chunk.ts';
import type { RecordPlace } from './record-source.ts';

/** Chunk, record, line, first byte, length. */
const PARTS = 5;

/** What of the input the records of a batch are, as `CellsWriter` wrote it. */
export class RecordOrigins {
  private readonly bytes: Uint8Array;
  private readonly chunks: readonly number[];
  private readonly slices: Uint32Array;
  private readonly parts: Uint32Array;

  /** `chunks` are those of the entries' slices, for the records that do not name theirs. */
  constructor(entries: Entries, chunks: readonly number[], recordsMax: number) {
    this.bytes = entries.bytes;
    this.chunks = chunks;
    this.slices = slicesOf(entries);
    this.parts = new Uint32Array(PARTS * recordsMax);
  }

  /** Reads that of an entry, which begins at `start`, for a record of the batch. Returns its end. */
  read(entry: number, record: number, start: number): number {
    const { bytes, parts } = this;
    let at = start;
    for (let part = 0; part < PARTS; part++) {
      let value = 0;
      let shift = 0;
      let byte: number;
      do {
        byte = bytes[at++]!;
        value += (byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80);
      parts[PARTS * record + part] = value;
    }
    if (parts[PARTS * record] === OWN_CHUNK) {
      const chunk = this.chunks[this.slices[entry]!];
      invariant(chunk !== undefined, 'a document names the chunks of its slices');
      parts[PARTS * record] = chunk + 1;
    }
    return at;
  }

  /** Of a record of the batch. */
  of(record: number): Pick<RecordPlace, 'origin'> {
    const [chunk = 0, number = 0, line = 0, byteOffset = 0, bytes = 0] = this.parts.subarray(
      PARTS * record,
    );
    return { origin: { chunk: chunk - 1, record: number, line, byteOffset, bytes } };
  }
}
