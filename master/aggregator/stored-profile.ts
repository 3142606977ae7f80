import type { ColumnProfile, Profile } from '../../pipeline/protocol/index.ts';
import type { PartialMerger } from '../../pipeline/result/partial.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import { isFinal } from '../coordination/job-state.ts';
import type { JobRecord } from '../storage/job-record.ts';

/** The profile as merged so far, or as it was written at the end of the job. */
export async function readProfile(
  blobs: BlobStore,
  job: Pick<JobRecord, 'id' | 'state'>,
  merger: PartialMerger | null,
): Promise<Profile> {
  const complete = isFinal(job.state);
  const columns = merger?.profile() ?? null;
  if (columns !== null) {
    return { jobId: job.id, records: profiledRecords(columns), complete, columns };
  }
  const name = profileName(job.id);
  if (!(await blobs.has(name))) return { jobId: job.id, records: 0, complete, columns: [] };
  return JSON.parse(Buffer.from(await blobs.get(name)).toString()) as Profile;
}

/** Writes the profile, if the plan makes one. */
export async function writeProfile(
  blobs: BlobStore,
  { id }: Pick<JobRecord, 'id'>,
  merger: PartialMerger,
): Promise<void> {
  const columns = merger.profile();
  if (columns === null) return;
  const records = profiledRecords(columns);
  const profile: Profile = { jobId: id, records, complete: true, columns };
  await blobs.delete(profileName(id));
  await blobs.put(profileName(id), [Buffer.from(JSON.stringify(profile))]);
}

function profileName(jobId: string): string {
  return `outputs/${jobId}/profile.json`;
}

function profiledRecords(columns: readonly ColumnProfile[]): number {
  return columns[0]?.count ?? 0;
}
