import { ByteWriter } from '../values/byte-writer.ts';
import { GroupCursor } from './group-cursor.ts';
import { groupLimitExceeded, type GroupTableLimits } from './group-table.ts';
import { measureState } from './measure-states.ts';
import { encodeAggregateHead, readAggregateHead } from './partial-codec.ts';

/**
 * Two partials of one aggregate as one. Their groups are in order, so nothing is looked up: where
 * one of them has few groups, the other's are copied. Measures must not depend on the order of
 * records. Throws `group-limit`.
 */
export function mergeSorted(
  left: Uint8Array,
  right: Uint8Array,
  limits: GroupTableLimits,
): Uint8Array {
  const leftHead = readAggregateHead(left);
  const rightHead = readAggregateHead(right);
  const { shape } = leftHead;
  const states = shape.measures.map((measure) => measureState(measure));
  const a = new GroupCursor(shape, left, leftHead.reader, leftHead.groups);
  const b = new GroupCursor(shape, right, rightHead.reader, rightHead.groups);
  const body = new ByteWriter();
  let groups = 0;
  let keyBytes = 0;
  let merged = 0;
  while (a.key !== null || b.key !== null) {
    const key = a.key ?? b.key!;
    const order = a.key === null ? 1 : b.key === null ? -1 : Buffer.compare(a.key, b.key);
    groups += 1;
    keyBytes += order > 0 ? b.key!.length : key.length;
    if (groups > limits.groupCountMax || keyBytes > limits.keyBytesMax) {
      throw groupLimitExceeded(groups - 1, keyBytes, limits);
    }
    if (order === 0) {
      body.block(key);
      for (const state of states) {
        state.reserve(merged + 1);
        state.merge(merged, a.reader, 0);
        state.merge(merged, b.reader, 0);
        state.write(merged, body);
      }
      merged += 1;
    } else body.raw((order < 0 ? a : b).group());
    if (order <= 0) a.next();
    if (order >= 0) b.next();
  }
  const writer = new ByteWriter();
  encodeAggregateHead(writer, shape, leftHead.records + rightHead.records, groups);
  writer.raw(body.finish());
  return writer.finish();
}
