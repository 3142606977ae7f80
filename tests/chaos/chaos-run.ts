import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Upload } from 'tus-js-client';
import { FINAL_STATUSES } from '../../pipeline/protocol/index.ts';
import type { Job, JobPage, Manifest } from '../../pipeline/protocol/index.ts';
import { sluice } from '../support/sluice.ts';
import type { ChaosWorld, Fault } from './chaos-world.ts';

export interface ChaosOptions {
  readonly file: string;
  /** For plans and expected results. */
  readonly folder: string;
  /** Faults to strike, at least; the job under way is then brought to its end. */
  readonly faults: number;
  readonly random: () => number;
  /** A job that takes longer, faults and all, has come to a stand. */
  readonly jobWithinMs: number;
  readonly log: (line: string) => void;
}

export interface ChaosReport {
  readonly jobs: number;
  /** How often each fault struck. */
  readonly faults: Readonly<Record<string, number>>;
  /** Uploads that had to be sent again from their beginning. */
  readonly uploadsAgain: number;
  /** Times that a client asked how far its upload came, and went on. */
  readonly uploadsContinued: number;
  /** Retries of jobs that ended with failed chunks or a damaged result. */
  readonly retries: number;
  /** Files that were sent again, because a stored chunk was damaged. */
  readonly inputsRepaired: number;
  /** Everything that is not as promised. */
  readonly wrong: readonly string[];
}

/** Plans that take different ways through the system. */
const PLANS = [
  [],
  [{ filter: "country = 'DE' OR amount > 100" }, { derive: { net: 'round(amount / 1.19, 2)' } }],
  [{ aggregate: { by: ['country'], measures: { n: 'count(*)', total: 'sum(amount)' } } }],
  [{ sort: ['country', { by: 'amount', desc: true }] }],
] as const;

const UPLOAD_PART_BYTES = 64 * 1024 * 1024;
/** Tries without any progress: longer than anything that is broken stays so. */
const UPLOAD_TRIES = 200;
const UPLOAD_PAUSE_MS = 300;

/**
 * Sends job after job while faults strike one after another, and compares each result with that of
 * a run that nobody disturbed.
 */
export async function runChaos(world: ChaosWorld, options: ChaosOptions): Promise<ChaosReport> {
  return await new ChaosRun(world, options).run();
}

class ChaosRun {
  readonly #world: ChaosWorld;
  readonly #options: ChaosOptions;
  readonly #struck: Record<string, number> = {};
  readonly #wrong: string[] = [];
  readonly #expected = new Map<number, string>();
  #uploadsAgain = 0;
  #uploadsContinued = 0;
  #retries = 0;
  #inputsRepaired = 0;
  #isStriking = true;

  constructor(world: ChaosWorld, options: ChaosOptions) {
    this.#world = world;
    this.#options = options;
  }

  async run(): Promise<ChaosReport> {
    for (const index of PLANS.keys()) this.#expected.set(index, await this.#undisturbed(index));
    const striking = this.#strikeAll();
    // Awaited below; a fault that cannot be struck must not count as unhandled before that.
    striking.catch(() => undefined);
    let jobs = 0;
    do await this.#oneJob(jobs++);
    while (this.#isStriking);
    await striking;
    await this.#expectNothingLeft();
    return {
      ...{ jobs, faults: this.#struck, retries: this.#retries, wrong: this.#wrong },
      inputsRepaired: this.#inputsRepaired,
      ...{ uploadsAgain: this.#uploadsAgain, uploadsContinued: this.#uploadsContinued },
    };
  }

  /** Each kind of fault once, in some order, then any. */
  async #strikeAll(): Promise<void> {
    try {
      await this.#strikeEach();
    } finally {
      this.#isStriking = false;
    }
  }

  async #strikeEach(): Promise<void> {
    const { faults, random, log } = this.#options;
    const kinds = this.#world.faults();
    const queue: Fault[] = [];
    for (let count = 0; count < faults; count++) {
      if (queue.length === 0) queue.push(...shuffled(kinds, random));
      const fault = queue.pop();
      if (fault === undefined) break;
      await sleep(200 + random() * 1_000);
      log(`${count + 1}/${faults} ${fault.name}`);
      await fault.strike();
      this.#struck[fault.name] = (this.#struck[fault.name] ?? 0) + 1;
    }
  }

  async #oneJob(number: number): Promise<void> {
    const { log } = this.#options;
    const planIndex = number % PLANS.length;
    const name = `chaos-${number}.csv`;
    const startedMs = Date.now();
    try {
      const plan = planOf(planIndex, number);
      const id = await this.#upload(name, number, plan);
      const sendAgain = (): Promise<string> => this.#upload(`again-${name}`, number, plan);
      await this.#untilRight(id, this.#expected.get(planIndex) ?? '', sendAgain);
      log(`${name}, plan ${planIndex}: right after ${Date.now() - startedMs} ms`);
      await this.#ask(`/api/jobs/${id}`, 'DELETE');
    } catch (thrown) {
      this.#wrong.push(`${name}: ${String(thrown)}`);
    }
  }

  /** Until the server has the whole file. Every third is sent in one request, others go on when cut. */
  async #upload(name: string, number: number, plan: string): Promise<string> {
    for (;;) {
      const upload = number % 3 === 2 ? this.#sendWhole : this.#sendResumably;
      const id = await upload.call(this, name, plan);
      if (id !== null) return id;
      this.#uploadsAgain++;
      await sleep(500);
    }
  }

  /** A master that is killed has forgotten such an upload. */
  async #sendWhole(name: string, plan: string): Promise<string | null> {
    const query = new URLSearchParams({ name, plan });
    const answer = await fetch(`${this.#world.url}/api/jobs?${query.toString()}`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: createReadStream(this.#options.file, { highWaterMark: 1 << 20 }),
      duplex: 'half',
    }).catch(() => null);
    if (answer?.status === 201) return ((await answer.json()) as Job).id;
    if (answer !== null && answer.status < 500) throw new Error(await answer.text());
    return null;
  }

  /** By tus-js-client, which asks how far it came and goes on from there. */
  async #sendResumably(name: string, plan: string): Promise<string | null> {
    return await new Promise<string | null>((resolve) => {
      const upload = new Upload(createReadStream(this.#options.file), {
        endpoint: `${this.#world.url}/api/uploads`,
        metadata: { filename: name, filetype: 'text/csv', plan },
        chunkSize: UPLOAD_PART_BYTES,
        retryDelays: Array.from({ length: UPLOAD_TRIES }, () => UPLOAD_PAUSE_MS),
        onShouldRetry: (error) => {
          const status = error.originalResponse?.getStatus() ?? 0;
          const mayGoOn = status === 0 || status >= 500 || status === 409 || status === 423;
          if (mayGoOn) this.#uploadsContinued++;
          return mayGoOn;
        },
        onError: (error) => {
          this.#options.log(`${name} is sent again: ${error.message}`);
          resolve(null);
        },
        onSuccess: () => resolve(upload.url?.split('/').at(-1) ?? null),
      });
      upload.start();
    });
  }

  /** The job's end, repaired as a person would, as its error says: the file again, and retry. */
  async #untilRight(id: string, expected: string, sendAgain: () => Promise<string>): Promise<void> {
    const { jobWithinMs } = this.#options;
    const untilMs = Date.now() + jobWithinMs;
    for (;;) {
      if (Date.now() > untilMs) throw new Error(`not right within ${jobWithinMs} ms`);
      const job = await this.#ended(id, untilMs);
      const sha256 = job.status === 'completed' ? await this.#download(id) : null;
      if (sha256 === expected) {
        await this.#expectBalanced(job);
        return;
      }
      if (sha256 !== null) throw new Error(`another result: ${sha256} in place of ${expected}`);
      this.#retries++;
      this.#options.log(`${job.name} is ${job.status}: ${job.error?.message ?? 'damaged'}`);
      const other = job.error?.code === 'input-damaged' ? await sendAgain() : null;
      if (other !== null) this.#inputsRepaired++;
      await this.#ask(`/api/jobs/${id}/retry`, 'POST');
      if (other !== null) await this.#ask(`/api/jobs/${other}`, 'DELETE');
      await sleep(200);
    }
  }

  async #ended(id: string, untilMs: number): Promise<Job> {
    for (;;) {
      const job = (await this.#ask(`/api/jobs/${id}`)) as Job;
      if (FINAL_STATUSES.includes(job.status)) return job;
      if (Date.now() > untilMs) {
        const { status, chunks, waves, waitsFor } = job;
        const workers = await this.#ask('/api/workers');
        const state = JSON.stringify({ status, chunks, waves, waitsFor, workers });
        throw new Error(`has come to a stand: ${state}`);
      }
      await sleep(200);
    }
  }

  /** Null when it did not come whole. */
  async #download(id: string): Promise<string | null> {
    try {
      const answer = await fetch(`${this.#world.url}/api/jobs/${id}/result`);
      if (answer.status !== 200) return null;
      const hash = createHash('sha256');
      for await (const part of answer.body ?? []) hash.update(part);
      return hash.digest('hex');
    } catch {
      return null;
    }
  }

  async #expectBalanced(job: Job): Promise<void> {
    const manifest = (await this.#ask(`/api/jobs/${job.id}/manifest`)) as Manifest;
    if (!manifest.balanced) this.#wrong.push(`${job.name}: the manifest does not balance`);
  }

  /** With uploads that were cut before their client heard of them: nobody goes on with them. */
  async #expectNothingLeft(): Promise<void> {
    const { jobs } = (await this.#ask('/api/jobs')) as JobPage;
    for (const { id } of jobs) await this.#ask(`/api/jobs/${id}`, 'DELETE');
    for (let tries = 0; tries < 200; tries++) {
      if ((await this.#leftOver()).length === 0) return;
      await sleep(200);
    }
    const left = await this.#leftOver();
    this.#wrong.push(`${left.length} blobs of deleted jobs are left: ${left.slice(0, 3).join()}`);
  }

  async #leftOver(): Promise<string[]> {
    const rooms = (['chunks', 'results', 'outputs'] as const).map((room) =>
      this.#world.blobs(room),
    );
    return (await Promise.all(rooms)).flat();
  }

  /** Of a master that may be away for a while. */
  async #ask(route: string, method = 'GET'): Promise<unknown> {
    for (;;) {
      const answer = await fetch(`${this.#world.url}${route}`, { method }).catch(() => null);
      if (answer !== null && answer.ok) {
        return answer.status === 204 ? null : await answer.json().catch(() => null);
      }
      // Refused: it was done already, by a call whose answer was lost.
      if (answer !== null && (answer.status === 409 || answer.status === 404)) return null;
      await sleep(200);
    }
  }

  async #undisturbed(planIndex: number): Promise<string> {
    const { file, folder } = this.#options;
    const plan = path.join(folder, `plan-${planIndex}.json`);
    const out = path.join(folder, `expected-${planIndex}.csv`);
    await writeFile(plan, planOf(planIndex, -1));
    const { code, stderr } = await sluice(['run', file, '--plan', plan, '-o', out, '--quiet']);
    if (code !== 0) throw new Error(stderr);
    const hash = createHash('sha256');
    for await (const part of createReadStream(out)) hash.update(part as Buffer);
    return hash.digest('hex');
  }
}

/** A text that no cell is stands for NULL too: the same result, and none that was stored before. */
function planOf(planIndex: number, number: number): string {
  const steps = PLANS[planIndex] ?? [];
  const read = { nullstr: ['', `~${number}~`] };
  return JSON.stringify({ version: 1, read, ...(steps.length === 0 ? {} : { steps }) });
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const keyed = list.map((item) => ({ item, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
