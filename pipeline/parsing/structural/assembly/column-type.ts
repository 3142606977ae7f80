// Column types, as pipeline/aggregation/kernel-layout.ts numbers them.
export const STRING: u32 = 0;
export const INTEGER: u32 = 1;
export const NUMBER: u32 = 2;
export const BOOLEAN: u32 = 3;
export const DATE: u32 = 4;
export const DATETIME: u32 = 5;
