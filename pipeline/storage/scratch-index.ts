import { closeSync, openSync, readSync, writeSync } from 'node:fs';

interface Place {
  /** Of the entry's text in the file. */
  readonly start: number;
  readonly end: number;
  /** Of the last line that speaks of the name. */
  readonly lastLine: number;
}

/** Of a line: that there is an object, that it is wanted, that it is gone. */
type Kind = '+' | '!' | '-';

/**
 * Names with an entry each, in one file that several processes append to and read. A line is
 *
 * ```
 * + <tab> name <tab> entry <tab>      if the name is not taken
 * ! <tab> name <tab>
 * - <tab> name <tab>
 * ```
 *
 * The lines' order in the file is the order in which things happened, for every process. A line is
 * appended by one call; the newline before it keeps it apart from what a full disk has left of
 * another one, which lacks its last tab and counts for nothing. All calls block, for some
 * microseconds, and throw what the system says.
 */
export class ScratchIndex {
  readonly #file: number;
  readonly #places = new Map<string, Place>();
  /** Up to where the file was read. */
  #readBytes = 0;
  #buffer = Buffer.allocUnsafeSlow(64 * 1024);

  constructor(path: string) {
    this.#file = openSync(path, 'a+');
  }

  close(): void {
    closeSync(this.#file);
  }

  /** `entry` holds no control characters. */
  add(name: string, entry: string): void {
    this.#append('+', name, `${entry}\t`);
  }

  renew(name: string): void {
    this.#append('!', name);
  }

  remove(name: string): void {
    this.#append('-', name);
  }

  /** The entry of a name, or null. */
  entry(name: string): string | null {
    const place = this.#placeOf(name);
    if (place === undefined) return null;
    const bytes = Buffer.allocUnsafe(place.end - place.start);
    readSync(this.#file, bytes, 0, bytes.length, place.start);
    return bytes.toString('utf8');
  }

  /** Another one after each `add` and `renew`; null where there is no entry. */
  version(name: string): string | null {
    return this.#placeOf(name)?.lastLine.toString() ?? null;
  }

  names(): string[] {
    this.#readOn();
    return [...this.#places.keys()];
  }

  #placeOf(name: string): Place | undefined {
    this.#readOn();
    return this.#places.get(name);
  }

  #append(kind: Kind, name: string, entry = ''): void {
    const bytes = Buffer.from(`\n${kind}\t${name}\t${entry}\n`);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
  }

  /** Takes in the lines that were added since, by whomever. */
  #readOn(): void {
    for (;;) {
      const buffer = this.#buffer;
      const length = readSync(this.#file, buffer, 0, buffer.length, this.#readBytes);
      const used = buffer.subarray(0, length).lastIndexOf(LINE_FEED) + 1;
      for (let start = 0; start < used;) {
        const end = buffer.indexOf(LINE_FEED, start);
        this.#take(buffer.subarray(start, end), this.#readBytes + start);
        start = end + 1;
      }
      this.#readBytes += used;
      if (length < buffer.length) return;
      if (used === 0) this.#buffer = Buffer.allocUnsafeSlow(buffer.length * 2);
    }
  }

  #take(line: Buffer, at: number): void {
    if (line.at(-1) !== TAB) return;
    const nameEnd = line.indexOf(TAB, 2);
    if (nameEnd < 0) return;
    const name = line.toString('latin1', 2, nameEnd);
    const kind = String.fromCharCode(line[0]!) as Kind;
    const known = this.#places.get(name);
    if (kind === '+' && nameEnd < line.length - 1) {
      const start = at + nameEnd + 1;
      const added = known ?? { start, end: at + line.length - 1 };
      this.#places.set(name, { ...added, lastLine: at });
    } else if (kind === '!' && known !== undefined) {
      this.#places.set(name, { ...known, lastLine: at });
    } else if (kind === '-') this.#places.delete(name);
  }
}

const LINE_FEED = 0x0a;
const TAB = 0x09;
