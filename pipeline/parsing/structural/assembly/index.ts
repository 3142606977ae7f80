// What the kernel exports; each file tells what it is for.
export {
  addBlock,
  clearGroups,
  encodeGroups,
  hasRoom,
  listGroups,
  sortGroups,
} from './aggregate/index';
export { countedLines, countedRecords, countRecords } from './count-records';
export { indexGroups } from './entries/index-groups';
export { mergeGroups } from './entries/merge-groups';
export { orderKeys } from './entries/order-keys';
export { countEntries, readEntries } from './entries/read-entries';
export { writeKeys } from './entries/record-keys';
export { copyRecords, longestEntry, writeBlock } from './entries/write-entries';
export { fillFirstFields } from './field';
export { addMember, select } from './filter/index';
export { writeRecords, writeRuns } from './output/write-records';
export { initColumn, listRegisters } from './profile/column-state';
export { profileColumn } from './profile/profile-column';
export { flushColumn } from './profile/value-cache';
export {
  scanFound,
  scanIrregular,
  scanLines,
  scanPassedEnd,
  scanPassedLines,
  scanRecords,
  scanState,
  setScanDialect,
  setScanLimits,
} from './scan';
export { evenFields, fields, isIrregular, lines, listLines, records, tokenize } from './tokenize';

export function heapBase(): usize {
  return __heap_base;
}
