// Groups and measures: what pipeline/aggregation/aggregate-kernel.ts calls, in this order.
export { addBlock, hasRoom } from './add-block';
export { encodeGroups } from './encode-groups';
export { clearGroups } from './group-table';
export { listGroups, sortGroups } from './sort-groups';
