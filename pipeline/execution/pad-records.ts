import {
  appendField,
  appendRecord,
  createRecordIndex,
  type RecordIndex,
} from '../parsing/record-index.ts';
import { ALTERED_RECORD } from './batch.ts';

/** A copy of the index in which every record has at least `columnCount` fields: those that were
 *  missing are empty. Padded records are marked as altered: they cannot be copied as a whole. */
export function padRecords(index: RecordIndex, columnCount: number): RecordIndex {
  const padded = createRecordIndex(index.recordCount, index.recordCount * columnCount);
  for (let record = 0; record < index.recordCount; record++) {
    const first = index.recordFields[record]!;
    const last = index.recordFields[record + 1]!;
    const end = index.recordEnds[record]!;
    for (let field = first; field < last; field++) {
      appendField(padded, index.fieldStarts[field]!, index.fieldEnds[field]!);
    }
    for (let cells = last - first; cells < columnCount; cells++) appendField(padded, end, end);
    const isShort = last - first < columnCount;
    const flags = index.recordFlags[record]! | (isShort ? ALTERED_RECORD : 0);
    appendRecord(padded, index.recordStarts[record]!, end, index.recordLines[record]!, flags);
  }
  return padded;
}
