import { beforeEach, expect, it } from 'vitest';
import { earlierJob } from '../../master/earlier-job.ts';
import { newJob } from '../../master/new-job.ts';
import type { JobState } from '../../master/coordination/job-state.ts';
import type { JobRecord } from '../../master/storage/job-record.ts';
import { SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';
import type { ErrorCode } from '../../pipeline/errors.ts';

let store: SqliteJobStore;
beforeEach(() => {
  store = new SqliteJobStore(':memory:');
});

const UPLOAD = {
  metadata: null,
  formatHint: null,
  durableBytes: 0,
  resumePoint: null,
  activeAt: '',
};

function asked(id: string, plan = '', isResumable = false, bytesTotal?: number): JobRecord {
  const request = { name: 'x.csv', plan, bytesTotal: bytesTotal ?? null, idempotencyKey: 'key' };
  const record = newJob(request, [], 0, id);
  return isResumable ? { ...record, facts: { ...record.facts, upload: UPLOAD } } : record;
}

function earlier(state: Partial<JobState>, isResumable = false): void {
  const record = asked('first', '', isResumable);
  store.insertJob({ ...record, state: { ...record.state, ...state } });
}

const failed = (code: ErrorCode): Partial<JobState> => ({
  ...{ status: 'failed', input: 'failed', error: { code, message: '', details: {} } },
});

it.each<Partial<JobState>>([
  { status: 'processing', input: 'complete' },
  { status: 'completed', input: 'complete' },
  { status: 'cancelled', input: 'open' },
  failed('input-compression'),
  failed('input-malformed'),
])('the same key gives the first job again: %j', (state) => {
  earlier(state);
  expect(earlierJob(store, asked('second'))?.id).toBe('first');
});

it.each<ErrorCode>(['input-truncated', 'upload-expired', 'disk-full', 'storage-failed'])(
  'an input that was cut off (%s) can be sent again under its key',
  (code) => {
    earlier(failed(code));
    const again = asked('second');
    expect(earlierJob(store, again)).toBeNull();
    store.insertJob(again);
    expect(store.job('first')?.idempotencyKey).toBeNull();
  },
);

it('while the input is being sent, to send it once more is refused', () => {
  earlier({ status: 'receiving', input: 'open' });
  expect(() => earlierJob(store, asked('second'))).toThrow(/job first.*is still being sent/);
});

it('an upload that waits is gone on with, and not begun by another kind of request', () => {
  earlier({ status: 'receiving', input: 'open' }, true);
  expect(earlierJob(store, asked('second', '', true))?.id).toBe('first');
  expect(() => earlierJob(store, asked('second'))).toThrow(/goes on at \/api\/uploads\/first/);
});

it('another request under the key is refused', () => {
  earlier({ status: 'completed', input: 'complete' });
  expect(() => earlierJob(store, asked('second', 'steps: []'))).toThrow(/another name, plan/);
});

it('a body of another size under the key is refused, where both say how large they are', () => {
  const sized = (id: string, bytes?: number): JobRecord => asked(id, '', false, bytes);
  const record = sized('first', 10);
  store.insertJob({
    ...record,
    state: { ...record.state, status: 'completed', input: 'complete' },
  });
  expect(earlierJob(store, sized('second', 10))?.id).toBe('first');
  expect(earlierJob(store, sized('second'))?.id).toBe('first');
  expect(() => earlierJob(store, sized('second', 11))).toThrow(/another name, .* or size/);
});
