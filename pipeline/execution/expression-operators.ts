import { bindCondition, bindValue } from '../plan/expression/bind.ts';
import { Truth } from '../plan/expression/bound.ts';
import type { Step } from '../plan/step.ts';
import type { Batch } from './batch.ts';
import { sourceOf, type ColumnView } from './column-view.ts';
import { createEvaluator } from './condition.ts';
import type { ChunkContext } from './context.ts';
import type { Evaluator } from './evaluator.ts';
import { ExpressionScope } from './expression-scope.ts';
import { copyCell } from './functions/kernel.ts';
import type { Operator, OperatorSink } from './operator.ts';
import { createValueNode, openVector, type ValueNode } from './value-node.ts';
import type { Vector } from './vectors.ts';

/** Lets the records through for which a condition is true. */
export class FilterOperator implements Operator {
  private readonly condition: ConditionRun;

  constructor(step: Extract<Step, { kind: 'filter' }>, view: ColumnView, context: ChunkContext) {
    this.condition = new ConditionRun(step, view, context);
  }

  apply(batch: Batch, sink: OperatorSink): void {
    const truths = this.condition.apply(batch, sink);
    const { selection, selectedCount } = batch;
    let kept = 0;
    for (let i = 0; i < selectedCount; i++) {
      if (truths[i] === Truth.yes) selection[kept++] = selection[i]!;
    }
    batch.selectedCount = kept;
    sink.filtered(selectedCount - kept);
  }
}

/** Rejects or counts the records for which a condition is false; like CHECK in SQL it takes NULL for
 *  true. */
export class CheckOperator implements Operator {
  private readonly condition: ConditionRun;
  private readonly column: number;
  private readonly message: string;
  private readonly warning: number | null;

  constructor(step: Extract<Step, { kind: 'check' }>, view: ColumnView, context: ChunkContext) {
    this.condition = new ConditionRun(step, view, context);
    this.column = step.column === null ? -1 : sourceOf(view, step.column);
    this.message = step.message;
    this.warning = step.warning ?? null;
  }

  apply(batch: Batch, sink: OperatorSink): void {
    const truths = this.condition.apply(batch, sink);
    const { selection, selectedCount } = batch;
    const { column, message, warning } = this;
    if (warning !== null) {
      let count = 0;
      for (let i = 0; i < selectedCount; i++) if (truths[i] === Truth.no) count++;
      sink.warned(warning, count);
      return;
    }
    let kept = 0;
    for (let i = 0; i < selectedCount; i++) {
      const record = selection[i]!;
      if (truths[i] !== Truth.no) selection[kept++] = record;
      else sink.reject({ record, column, code: 'constraint-error', message });
    }
    batch.selectedCount = kept;
  }
}

/** Computes a column. */
export class DeriveOperator implements Operator {
  private readonly scope: ExpressionScope;
  private readonly node: ValueNode;
  private readonly target: Vector;

  /** `target` is the column's vector in the view behind the step. */
  constructor(
    { expression }: Extract<Step, { kind: 'derive' }>,
    view: ColumnView,
    target: Vector,
    context: ChunkContext,
  ) {
    const { value, loads } = bindValue(expression.ast, view.columns);
    this.scope = new ExpressionScope(loads, view, context);
    this.target = target;
    this.node = createValueNode(value, this.scope.scope, target);
  }

  apply(batch: Batch, sink: OperatorSink): void {
    this.scope.load(batch, sink);
    const { selection, selectedCount } = batch;
    const vector = this.node.evaluate(batch, selection, selectedCount);
    if (vector !== this.target) this.copy(vector, batch);
    this.scope.settle(batch, sink);
  }

  /** What another column holds becomes this one's own. */
  private copy(vector: Vector, batch: Batch): void {
    openVector(this.target, batch);
    for (let i = 0; i < batch.selectedCount; i++) {
      copyCell(vector, batch.selection[i]!, this.target);
    }
  }
}

/** A condition that is evaluated for every selected record. */
class ConditionRun {
  private readonly scope: ExpressionScope;
  private readonly evaluate: Evaluator;
  private truths = new Uint8Array(0);

  constructor(
    { expression }: Extract<Step, { kind: 'filter' | 'check' }>,
    view: ColumnView,
    context: ChunkContext,
  ) {
    const { condition, loads } = bindCondition(expression.ast, view.columns);
    this.scope = new ExpressionScope(loads, view, context);
    this.evaluate = createEvaluator(condition, this.scope.scope);
  }

  /** The truth of each record that is left selected, in the order of the selection. */
  apply(batch: Batch, sink: OperatorSink): Uint8Array {
    this.scope.load(batch, sink);
    const { selection } = batch;
    if (this.truths.length < batch.selectedCount) this.truths = new Uint8Array(selection.length);
    this.evaluate(batch, selection, batch.selectedCount, this.truths);
    this.scope.settle(batch, sink, this.truths);
    return this.truths;
  }
}
