import { expect, it } from 'vitest';
import { placeOfFault } from '../../master/driver/fault-place.ts';
import type { ChunkRecord } from '../../master/storage/job-record.ts';

it('a fault in a chunk is told with its line and byte in the input, and its record where that is known', () => {
  const error = {
    ...({ code: 'input-malformed', message: 'no number' } as const),
    details: { record: 4, line: 6, byteOffset: 50, column: 2 },
  };
  const first = { index: 0, wave: 0, line: 1, byteOffset: 10 } as ChunkRecord;
  expect(placeOfFault(error, first)).toEqual({
    ...{ code: 'input-malformed', message: 'Line 8: no number' },
    details: { record: 5, line: 8, byteOffset: 60, column: 2, chunk: 0 },
  });
  const later = { index: 3, wave: 0, line: 100, byteOffset: 1000 } as ChunkRecord;
  expect(placeOfFault(error, later).details).toEqual({
    ...{ line: 107, byteOffset: 1050, column: 2, chunk: 3 },
  });
  expect(placeOfFault(error, { ...first, wave: 1 })).toEqual({
    ...error,
    details: { column: 2, chunk: 0, wave: 2 },
  });
  const origin = { chunk: 3, record: 1, line: 2, byteOffset: 7, bytes: 5 };
  const ofOrigin = { ...error, details: { ...error.details, origin } };
  expect(placeOfFault(ofOrigin, { ...first, wave: 1 }, null, () => later)).toEqual({
    ...{ code: 'input-malformed', message: 'Line 103: no number' },
    details: { line: 103, byteOffset: 1007, column: 2, chunk: 3, wave: 2 },
  });
});
