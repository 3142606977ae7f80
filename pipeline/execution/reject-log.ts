import { SluiceError } from '../errors.ts';
import { encodeRejects, rawText, type RelativeReject } from '../result/relative-reject.ts';
import type { Fault } from './batch.ts';
import type { ChunkContext } from './context.ts';
import { columnNameOf, type SourceBatch, type SourceFault } from './record-source.ts';

/** Collects the rejects of a chunk, in the order of their records. */
export class RejectLog {
  private readonly context: ChunkContext;
  private readonly chunk: Uint8Array;
  private readonly rejects: RelativeReject[] = [];
  private pending: SourceFault[] = [];

  constructor(context: ChunkContext, chunk: Uint8Array) {
    this.context = context;
    this.chunk = chunk;
  }

  get count(): number {
    return this.rejects.length;
  }

  /** Notes a record of `batch` that an operator of the plan's step `step` could not take. */
  add(fault: Fault, batch: SourceBatch, step: number | null): void {
    const { column, code, message } = fault;
    this.pending.push({ ...batch.placeOf(fault.record), column, code, message, step });
  }

  /** Takes the faults of a batch over. With on_error 'fail' the first one is thrown. */
  endBatch(batch: SourceBatch): void {
    if (batch.faults.length === 0 && this.pending.length === 0) return;
    const faults = [...batch.faults, ...this.pending];
    faults.sort((left, right) => left.record - right.record);
    this.pending = [];
    if (this.context.onError === 'fail' && faults[0] !== undefined) throw this.failure(faults[0]);
    for (const fault of faults) this.rejects.push(this.rejectOf(fault));
  }

  encode(): Uint8Array {
    return encodeRejects(this.rejects);
  }

  private rejectOf(fault: SourceFault): RelativeReject {
    const { column, columnName } = this.columnOf(fault.column);
    return {
      record: fault.record,
      line: fault.line,
      byteOffset: fault.rawStart,
      ...{ column, columnName },
      step: fault.step ?? null,
      code: fault.code,
      message: fault.message,
      ...rawText(this.chunk.subarray(fault.rawStart, fault.rawEnd)),
      ...(fault.origin === undefined ? {} : { origin: fault.origin }),
    };
  }

  /** A field's column, in the input where that is known. */
  private columnOf(field: number): Pick<RelativeReject, 'column' | 'columnName'> {
    const { input, columns } = this.context;
    const origins = input === 'chunk' ? undefined : input.records.layout?.origins;
    const origin = origins?.columns[field];
    if (origin !== undefined) return { column: origin.position + 1, columnName: origin.name };
    return { column: field < 0 ? null : field + 1, columnName: columnNameOf(columns, field) };
  }

  /** Its place is relative to the chunk, numbers from 0, like that of a reject. */
  private failure(fault: SourceFault): SluiceError {
    const { record, line, byteOffset, column, columnName, step, code, origin } =
      this.rejectOf(fault);
    return new SluiceError('input-malformed', fault.message, {
      details: {
        ...{ record, line, byteOffset, column, columnName, step, code },
        ...(origin === undefined ? {} : { origin }),
      },
    });
  }
}
