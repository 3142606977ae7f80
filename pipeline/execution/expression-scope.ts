import type { Load } from '../plan/expression/bound.ts';
import type { Batch } from './batch.ts';
import type { ColumnView } from './column-view.ts';
import { createEvaluator } from './condition.ts';
import type { ChunkContext } from './context.ts';
import type { EvaluatorScope } from './evaluator.ts';
import type { OperatorSink } from './operator.ts';
import { RecordFaults } from './record-faults.ts';
import { ValueLoader } from './value-loader.ts';
import { ValueVector } from './vectors.ts';

/** What an expression needs at work: its columns loaded as typed values, and where faults go. */
export class ExpressionScope {
  readonly scope: EvaluatorScope;
  private readonly loaders: readonly ValueLoader[];
  private readonly faults: RecordFaults;

  constructor(loads: readonly Load[], view: ColumnView, context: ChunkContext) {
    const loaders: ValueLoader[] = [];
    const vectors = loads.map(({ column, as }) => {
      const source = view.sources[column]!;
      const vector = view.vectors[source] ?? null;
      if (vector instanceof ValueVector) return vector;
      const loader = new ValueLoader({ column: source, as }, view, context);
      loaders.push(loader);
      return loader.vector;
    });
    this.loaders = loaders;
    this.faults = new RecordFaults(context);
    const scope: EvaluatorScope = {
      ...{ context, vectors, view, faults: this.faults, shared: new Map() },
      evaluatorOf: (condition) => createEvaluator(condition, scope),
    };
    this.scope = scope;
  }

  /** Loads the columns; records with a value that does not cast leave the selection. */
  load(batch: Batch, sink: OperatorSink): void {
    for (const loader of this.loaders) loader.apply(batch, sink);
  }

  /** Rejects the records for which there was no value; `truths` stays in step with the selection. */
  settle(batch: Batch, sink: OperatorSink, truths: Uint8Array | null = null): void {
    this.faults.settle(batch, sink, truths);
  }
}
