/** Bytes of the first part and of the largest: each is four times the one before, so that a small
 *  output costs little. A part ends early when what follows does not fit. */
const PART_BYTES_MIN = 16 * 1024;
const PART_BYTES_MAX = 1024 * 1024;

/** From this size on a slice of the input becomes a part of its own and is not copied. */
export const SHARED_BYTES_MIN = 16 * 1024;

/** Collects output as parts. Slices of the input may be shared: the input must not change after. */
export class OutputBuffer {
  /** The part that is being filled; write at `position` after `reserve`. */
  bytes = new Uint8Array(0);
  position = 0;
  private readonly parts: Uint8Array[] = [];
  private partBytes = PART_BYTES_MIN;
  /** Bytes of the parts. */
  private ended = 0;
  private sharedBytes: Uint8Array | null = null;
  private sharedStart = 0;
  private sharedEnd = 0;

  /** Makes room for `length` more bytes at `position` of `bytes`. */
  reserve(length: number): void {
    if (this.sharedBytes !== null) this.endShared();
    if (this.position + length <= this.bytes.length) return;
    this.endPart();
    this.bytes = new Uint8Array(Math.max(this.partBytes, length));
    this.partBytes = Math.min(PART_BYTES_MAX, this.partBytes * 4);
    this.position = 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  /** Appends a number below 2^32, seven bits a byte, low bits first. */
  varint(value: number): void {
    this.reserve(VARINT_BYTES_MAX);
    writeVarint(value, this);
  }

  /** Appends a copy. Short slices are copied byte by byte, which is faster than a call. */
  copy(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    const { bytes } = this;
    let { position } = this;
    if (end - start <= 32) {
      for (let i = start; i < end; i++) bytes[position++] = source[i]!;
    } else {
      bytes.set(source.subarray(start, end), position);
      position += end - start;
    }
    this.position = position;
  }

  /** Appends a slice that stays as it is: shared when it is long, or goes on from the last one. */
  share(source: Uint8Array, start: number, end: number): void {
    if (this.sharedBytes === source && this.sharedEnd === start) {
      this.sharedEnd = end;
    } else if (end - start < SHARED_BYTES_MIN) {
      this.copy(source, start, end);
    } else {
      if (this.sharedBytes !== null) this.endShared();
      this.endPart();
      this.sharedBytes = source;
      this.sharedStart = start;
      this.sharedEnd = end;
    }
  }

  /** Bytes so far. */
  get length(): number {
    const shared = this.sharedBytes === null ? 0 : this.sharedEnd - this.sharedStart;
    return this.ended + this.position + shared;
  }

  finish(): Uint8Array[] {
    if (this.sharedBytes !== null) this.endShared();
    this.endPart();
    return this.parts;
  }

  private endShared(): void {
    const shared = this.sharedBytes;
    if (shared !== null) this.push(shared.subarray(this.sharedStart, this.sharedEnd));
    this.sharedBytes = null;
  }

  /** What was written so far becomes a part; the rest of the buffer goes on being filled. */
  private endPart(): void {
    if (this.position > 0) this.push(this.bytes.subarray(0, this.position));
    this.bytes = this.bytes.subarray(this.position);
    this.position = 0;
  }

  private push(part: Uint8Array): void {
    this.parts.push(part);
    this.ended += part.length;
  }
}

export const VARINT_BYTES_MAX = 5;

/** As `varint`, where room was made. */
export function writeVarint(value: number, out: OutputBuffer): void {
  const { bytes } = out;
  let { position } = out;
  let left = value;
  while (left > 0x7f) {
    bytes[position++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  bytes[position++] = left;
  out.position = position;
}
