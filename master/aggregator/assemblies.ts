import type { ErrorDocument, SluiceError } from '../../pipeline/errors.ts';
import { invariant, toSluiceError } from '../../pipeline/errors.ts';
import { outputFrame } from '../../pipeline/execution/output-frame.ts';
import type { OutputFrame } from '../../pipeline/execution/output-frame.ts';
import type { StoredEncoding } from '../../pipeline/execution/stored/stored-output.ts';
import { pieceHashes } from '../../pipeline/integrity/output-pieces.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import type { OutputPart, Profile, RecordPage, RejectPage } from '../../pipeline/protocol/index.ts';
import type { OutputMap } from '../../pipeline/reassembly/output-map.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import { isFinal } from '../coordination/job-state.ts';
import { accountEnd, derivedRejects, jobTotals } from '../coordination/waves.ts';
import type { ActiveJob } from '../driver/active-job.ts';
import type { ResultView } from '../service.ts';
import { lastWave } from '../storage/job-record.ts';
import type { ChunkRecord, JobFacts, JobRecord } from '../storage/job-record.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import type { ResultSize } from '../views/job-document.ts';
import { damageError, isDamage } from './damaged-result.ts';
import { convertedResult, only, parquetResult, targetOf } from './rewritten-result.ts';
import type { ConvertedResult } from './rewritten-result.ts';
import { finalAggregate, type FinalAggregate } from './final-aggregate.ts';
import { JobAssembly, lastWaveOf } from './job-assembly.ts';
import { OutputCheck, type OutputCheckDeps } from './output-check.ts';
import { RecordPages } from './record-pages.ts';
import {
  decodeSection,
  readResultHead,
  RESULT_HEAD_BYTES,
} from '../../pipeline/result/result-format.ts';
import { readProfile, writeProfile } from './stored-profile.ts';
import { readRejects } from './reject-pages.ts';
import { chunkedParts, wholeParts } from './output-parts.ts';
import { placeOfOutput, resultByteCount } from './result-bytes.ts';
import type { ResultParts } from './result-bytes.ts';
import { damagedChunk, resultIdentity } from './result-identity.ts';
import type { OnJobChange, ResultSource } from './result-view.ts';
import { FORMATS, resultName, resultView } from './result-view.ts';
import { inputVerdict, rejectVerdict } from './verdict.ts';
import {
  aggregateName,
  isWhole,
  putResult,
  recordsName,
  wholeResultPieces,
} from './whole-result.ts';

type AnyJob = ActiveJob | JobRecord;

/** A merged chunk whose stored result is lost. */
export interface Damage {
  readonly chunk: ChunkRecord;
  readonly error: SluiceError;
}

/** Chunk rows read at a time. */
const ROWS_PER_READ = 1_000;
/** Finished jobs whose maps are kept, for people who page through several results. */
const KEPT_JOBS_MAX = 32;

/** The assemblies of all jobs, and every view of a result that is made of them. */
export class Assemblies {
  readonly #store: SqliteJobStore;
  readonly #blobs: BlobStore;
  readonly #assemblies = new Map<string, JobAssembly>();
  readonly #pages = new RecordPages();
  readonly #check: OutputCheck;
  #onDamage: (jobId: string, error: SluiceError) => void = () => undefined;

  constructor(deps: OutputCheckDeps & { readonly store: SqliteJobStore }) {
    this.#store = deps.store;
    this.#blobs = deps.blobs;
    this.#check = new OutputCheck(deps);
  }

  /** Tells of results that turned out damaged when they were read. */
  onDamage(listener: (jobId: string, error: SluiceError) => void): void {
    this.#onDamage = listener;
  }

  /** Adds the chunk at the job's watermark. Throws `blob-corrupt`, `blob-missing`, `group-limit`. */
  async merge(job: AnyJob, chunk: ChunkRecord): Promise<void> {
    const assembly = this.#assemblies.get(job.id) ?? this.#create(job);
    await assembly.merge(this.#blobs, chunk, lastWaveOf(job));
  }

  /**
   * Merges the chunks before `watermark` again, from their stored results, up to the first one that
   * is damaged: that one is returned. Errors: those of the store, `group-limit`.
   */
  async rebuild(job: AnyJob, watermark: number): Promise<Damage | null> {
    this.forget(job.id);
    if (watermark === 0) return null; // Its waves may not be known yet.
    const assembly = this.#create(job);
    for (const chunk of this.#rows(job.id, watermark)) {
      if (chunk.statistics === null || chunk.status === 'failed') continue;
      try {
        await assembly.merge(this.#blobs, chunk, lastWaveOf(job));
      } catch (thrown) {
        const error = toSluiceError(thrown);
        if (isDamage(error)) return { chunk, error };
        throw error;
      }
    }
    assembly.fillTo(watermark);
    return null;
  }

  forget(jobId: string): void {
    this.#assemblies.delete(jobId);
  }

  /** Writes the outputs that only the end of a job knows. */
  async finalize(
    job: ActiveJob,
  ): Promise<{ facts: Partial<JobFacts>; verdict: ErrorDocument | null }> {
    const assembly = this.#assemblies.get(job.id) ?? this.#create(job);
    assembly.fillTo(job.state.chunkCount);
    invariant(assembly.map.count === job.state.chunkCount, 'every chunk is merged at the end');
    await writeProfile(this.#blobs, job, assembly.merger);
    const plan = parsePlan(job.facts.planText);
    const { recordsIn, rejected } = jobTotals(job.state, job.state.waveCount);
    const all = { recordsIn, rejected: rejected + derivedRejects(job.state) };
    const verdict = rejectVerdict(all, plan.limits) ?? inputVerdict(this.#store, job);
    const facts =
      job.facts.shape === 'aggregate'
        ? await this.#finishAggregate(job, finalAggregate(job.facts, plan, assembly.merger))
        : await this.#finishRecords(job, assembly);
    return { facts, verdict };
  }

  async #finishRecords(job: ActiveJob, assembly: JobAssembly): Promise<Partial<JobFacts>> {
    const resultRecords = assembly.map.totals().outputRecords;
    if (job.facts.resultFormat !== 'parquet') {
      return { resultBytes: resultByteCount(this.#parts(job, assembly, true)), resultRecords };
    }
    return { resultRecords, ...(await this.#putParquet(job, this.#outputs(job))) };
  }

  async #finishAggregate(job: ActiveJob, result: FinalAggregate): Promise<Partial<JobFacts>> {
    const { records: resultRecords, bytes } = result;
    const isParquet = job.facts.resultFormat === 'parquet';
    const name = isParquet ? recordsName(job.id) : aggregateName(job.id);
    await this.#blobs.delete(name);
    await this.#blobs.put(name, [bytes]);
    if (isParquet) return { resultRecords, ...(await this.#putParquet(job, only(bytes))) };
    return { resultBytes: bytes.length, resultRecords, resultPieces: pieceHashes(bytes) };
  }

  async #putParquet(
    job: ActiveJob,
    outputs: AsyncIterable<Uint8Array>,
  ): Promise<Pick<JobFacts, 'resultBytes' | 'resultPieces'>> {
    const file = parquetResult(this.#storedEncoding(job), outputs);
    return await putResult(this.#blobs, aggregateName(job.id), file);
  }

  resultSize(job: AnyJob): ResultSize {
    const { facts, state } = job;
    const finalized = state.status === 'completed' || state.status === 'completed_with_failures';
    if (finalized) return { bytes: facts.resultBytes, records: facts.resultRecords };
    if (facts.waves === null || facts.shape === 'aggregate') return { bytes: 0, records: 0 };
    const parts = this.#parts(job, this.#assemblyOf(job), false);
    const bytes = isWhole(facts) ? 0 : resultByteCount(parts);
    return { bytes, records: parts.map.totals().outputRecords };
  }

  result(find: () => AnyJob, onChange: OnJobChange): ResultView {
    const sourceNow = (): ResultSource => {
      const now = find();
      const complete = isFinal(now.state);
      const finalized = complete && now.state.status.startsWith('completed');
      const { resultFormat: format } = now.facts;
      const identity = finalized ? resultIdentity(now) : null;
      const common = { complete, format, identity, damagedChunk: damagedChunk(now) };
      if (isWhole(now.facts)) {
        const bytes = finalized ? now.facts.resultBytes : 0;
        const pieces = (start: number, end: number) => this.#wholePieces(now, start, end);
        return { ...common, kind: 'pieces', bytes, pieces };
      }
      const parts = format === null ? null : this.#parts(now, this.#assemblyOf(now), finalized);
      return { ...common, kind: 'parts', parts };
    };
    return resultView(this.#blobs, find().name, sourceNow, onChange);
  }

  /** A finished result as text of another format. Throws `bad-request` and `conflict`. */
  converted(job: AnyJob, format: string): ConvertedResult {
    const target = targetOf(job, format);
    const bytes = convertedResult(this.#storedEncoding(job), target, this.#outputs(job));
    const { contentType, extension } = FORMATS[target.format];
    return { contentType, filename: resultName(job.name, extension), bytes };
  }

  async records(job: AnyJob, offset: number, limit: number): Promise<RecordPage> {
    const { waves, outputColumns } = job.facts;
    const complete = isFinal(job.state);
    if (waves === null || outputColumns === null) {
      return { columns: [], offset, records: [], available: 0, complete };
    }
    const columns = [...outputColumns];
    const available = this.resultSize(job).records;
    const page: RecordPage = { columns, offset, records: [], available, complete };
    const { write, nullstr: texts } = lastWave(waves).context;
    const nullstr = job.facts.shape === 'aggregate' ? [''] : texts;
    if (job.facts.shape === 'aggregate') {
      if (available === 0) return page;
      const load = () => this.#aggregateRecords(job);
      const key = `${job.id}:${job.updatedAt}`;
      page.records = await this.#pages.read(key, write, columns, nullstr, load, offset, limit);
      return page;
    }
    const { map } = this.#assemblyOf(job);
    while (page.records.length < limit) {
      const place = map.locateRecord(offset + page.records.length);
      if (place === null) break;
      const taskKey = this.#taskKeyOf(job.id, place.chunk);
      const load = () => this.#guarded(job, map, place.chunk, () => this.#loadOutput(taskKey));
      const wanted = limit - page.records.length;
      const read = await this.#pages.read(
        ...([taskKey, write, columns, nullstr, load, place.within, wanted] as const),
      );
      invariant(read.length > 0, 'a chunk holds the records its map says');
      page.records.push(...read);
    }
    return page;
  }

  /** The parts of a finished result, each with its hash. Errors: as of reading the result. */
  async outputParts(job: AnyJob): Promise<OutputPart[]> {
    const { resultBytes, resultPieces } = job.facts;
    if (isWhole(job.facts)) return wholeParts(resultBytes, resultPieces);
    const assembly = this.#assemblyOf(job);
    const read = (chunk: number, work: () => Promise<OutputPart>) =>
      this.#guarded(job, assembly.map, chunk, work);
    return await chunkedParts(this.#blobs, this.#parts(job, assembly, true), read);
  }

  async rejects(job: AnyJob, offset: number, limit: number): Promise<RejectPage> {
    const assembly = this.#assemblyOf(job);
    const chunkOf = (index: number) => this.#store.chunk(job.id, index);
    const starts = job.state.waves.map(({ start }) => start);
    const { map } = assembly;
    const read = <T>(chunk: number, work: () => Promise<T>) => this.#guarded(job, map, chunk, work);
    const source = { blobs: this.#blobs, map, chunkOf, starts, read };
    const derivedFrom = accountEnd(job.state);
    const rejects = await readRejects({ ...source, derivedFrom }, offset, limit);
    const available = assembly.map.totals().rejected;
    return { offset, rejects, available, complete: isFinal(job.state) };
  }

  async profile(job: AnyJob): Promise<Profile> {
    return await readProfile(this.#blobs, job, this.#assemblies.get(job.id)?.merger ?? null);
  }

  #parts(job: AnyJob, assembly: JobAssembly, complete: boolean): ResultParts {
    return {
      frame: this.#frameOf(job),
      map: assembly.map,
      complete,
      taskKeyOf: (chunk) => this.#taskKeyOf(job.id, chunk),
      check: (chunk, part) =>
        this.#guarded(job, assembly.map, chunk, async () => {
          const taskKey = this.#taskKeyOf(job.id, chunk);
          const { outputBytes } = assembly.map.entry(chunk);
          await (part
            ? this.#check.recently(taskKey, outputBytes)
            : this.#check.whole(taskKey, outputBytes));
        }),
    };
  }

  /** Reads a chunk's output: damage is told with its place, to the reader and to the job. */
  async #guarded<T>(
    job: AnyJob,
    map: OutputMap,
    chunk: number,
    read: () => Promise<T>,
  ): Promise<T> {
    try {
      return await read();
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (!isDamage(error)) throw error;
      const place = placeOfOutput({ frame: this.#frameOf(job), map }, chunk);
      const damage = damageError(place, chunk, error);
      this.#onDamage(job.id, damage);
      throw damage;
    }
  }

  /** Bytes of a result that is stored as one object; damage is told as of a chunk's. */
  async *#wholePieces(job: AnyJob, start: number, end: number): AsyncGenerator<Uint8Array> {
    const { resultBytes: bytes, resultPieces: hashes } = job.facts;
    try {
      const stored = { name: aggregateName(job.id), bytes, hashes };
      yield* wholeResultPieces(this.#blobs, stored, start, end);
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (!isDamage(error)) throw error;
      const damage = damageError({ start: 0, end: bytes, ...error.details }, null, error);
      this.#onDamage(job.id, damage);
      throw damage;
    }
  }

  /** The records of a finished aggregate, without header and footer. */
  async #aggregateRecords(job: AnyJob): Promise<Uint8Array> {
    if (job.facts.resultFormat === 'parquet') return await this.#blobs.get(recordsName(job.id));
    const pieces: Uint8Array[] = [];
    const all = this.#wholePieces(job, 0, job.facts.resultBytes);
    for await (const piece of all) pieces.push(piece);
    const { header, footer, skipFirstBytes } = this.#frameOf(job);
    const bytes = Buffer.concat(pieces);
    return bytes.subarray(header.length - skipFirstBytes, bytes.length - footer.length);
  }

  /** The stored outputs of a finished job, in order. */
  async *#outputs(job: AnyJob): AsyncGenerator<Uint8Array> {
    if (job.facts.shape === 'aggregate') {
      yield await this.#aggregateRecords(job);
      return;
    }
    const { map } = this.#assemblyOf(job);
    for (let chunk = 0; chunk < map.count; chunk++) {
      if (map.entry(chunk).outputBytes === 0) continue;
      const taskKey = this.#taskKeyOf(job.id, chunk);
      yield await this.#guarded(job, map, chunk, () => this.#loadOutput(taskKey));
    }
  }

  #storedEncoding({ facts: { waves, outputColumns, shape } }: AnyJob): StoredEncoding {
    invariant(waves !== null && outputColumns !== null, 'the input was sniffed');
    const { write, nullstr } = lastWave(waves).context;
    return { columns: outputColumns, write, nullstr: shape === 'aggregate' ? [''] : nullstr };
  }

  #frameOf(job: AnyJob): OutputFrame {
    const { waves, outputColumns } = job.facts;
    invariant(waves !== null && outputColumns !== null, 'the input was sniffed');
    return outputFrame(outputColumns, lastWave(waves).context.write);
  }

  #taskKeyOf(jobId: string, index: number): string {
    const taskKey = this.#store.taskKey(jobId, index);
    invariant(taskKey !== null, 'a merged chunk has a row');
    return taskKey;
  }

  async #loadOutput(taskKey: string): Promise<Uint8Array> {
    const name = `results/${taskKey}`;
    const head = readResultHead(await this.#blobs.getRange(name, 0, RESULT_HEAD_BYTES));
    const { start, end } = head.sections.output;
    return decodeSection(head, 'output', await this.#blobs.getRange(name, start, end));
  }

  /** The assembly in memory, or one with the map alone, made from the chunks' rows. */
  #assemblyOf(job: AnyJob): JobAssembly {
    const kept = this.#assemblies.get(job.id);
    if (kept !== undefined) return kept;
    const assembly = new JobAssembly(job.facts.waves);
    for (const chunk of this.#rows(job.id, job.state.watermark)) {
      if (chunk.statistics !== null && chunk.status !== 'failed') {
        assembly.append(chunk, lastWaveOf(job));
      }
    }
    assembly.fillTo(job.state.watermark);
    return isFinal(job.state) ? this.#keep(job.id, assembly) : assembly;
  }

  #create({ id, facts: { waves, planText } }: AnyJob): JobAssembly {
    return this.#keep(id, new JobAssembly(waves, parsePlan(planText).limits));
  }

  #keep(jobId: string, assembly: JobAssembly): JobAssembly {
    this.#assemblies.delete(jobId);
    this.#assemblies.set(jobId, assembly);
    if (this.#assemblies.size > KEPT_JOBS_MAX) {
      for (const [oldest] of this.#assemblies) {
        const job = this.#store.job(oldest);
        if (job !== null && !isFinal(job.state)) continue;
        this.#assemblies.delete(oldest);
        break;
      }
    }
    return assembly;
  }

  *#rows(jobId: string, end: number): Iterable<ChunkRecord> {
    for (let from = 0; from < end; from += ROWS_PER_READ) {
      yield* this.#store.chunks(jobId, from, Math.min(ROWS_PER_READ, end - from));
    }
  }
}
