import { readEntries } from './entries.ts';
import type { EntryEngine } from './entry-engine.ts';
import { EntryWriter, NO_KEY } from './entry-writer.ts';
import { orderByKey } from './order-by-key.ts';

const PART_BYTES = 1024 * 1024;

/** The reference, and what there is without the kernel. */
export const SCRIPT_ENGINE: EntryEngine = {
  read: readEntries,
  order: ({ bytes, keyStarts, keyEnds, count }) => orderByKey(bytes, keyStarts, keyEnds, count),
  mergerOf: () => null,
  writeGroups: () => null,
  copyRecords({ bytes, keyEnds, recordEnds }, order) {
    const parts: Uint8Array[] = [];
    let part: Uint8Array[] = [];
    let length = 0;
    for (const entry of order) {
      const record = bytes.subarray(keyEnds[entry], recordEnds[entry]);
      part.push(record);
      length += record.length;
      if (length < PART_BYTES) continue;
      parts.push(Buffer.concat(part));
      part = [];
      length = 0;
    }
    if (length > 0) parts.push(Buffer.concat(part));
    return parts;
  },
  writeSorted(keys, records, count, take, blockBytes) {
    const order = orderByKey(keys.bytes, keys.starts, keys.ends, count).subarray(0, take);
    const writer = new EntryWriter(blockBytes);
    for (const entry of order) {
      writer.add(
        ...([keys.bytes, keys.starts[entry]!, keys.ends[entry]!] as const),
        ...([records.bytes, records.starts[entry]!, records.ends[entry]!] as const),
      );
    }
    const last = order.at(-1);
    const lastKey =
      last === undefined ? NO_KEY : keys.bytes.subarray(keys.starts[last], keys.ends[last]);
    return writer.finish(lastKey);
  },
};
