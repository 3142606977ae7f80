import { canonicalJson, contextKey } from '../../pipeline/keys/index.ts';
import type { CompiledPlan } from '../../pipeline/plan/compile.ts';
import type { WavePlan } from '../../pipeline/plan/waves.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type { JobWave, JobWaves } from '../storage/job-record.ts';

/** Puts the contexts of all waves where the workers find them. Errors: those of the store. */
export async function storeContexts(
  blobs: Pick<BlobStore, 'put'>,
  { waves: [first, ...later] }: CompiledPlan,
): Promise<JobWaves> {
  const store = async ({ context, lookup }: WavePlan): Promise<JobWave> => {
    const key = contextKey(context);
    await blobs.put(`contexts/${key}`, [Buffer.from(canonicalJson(context))]);
    return { contextKey: key, context, ...(lookup === undefined ? {} : { lookup }) };
  };
  return [await store(first), ...(await Promise.all(later.map(store)))];
}
