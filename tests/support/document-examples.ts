import type { LookupFile } from './run-plan.ts';

/** A plan in a document, with what it is run on and what it gives. */
export interface DocumentExample {
  readonly plan: string;
  readonly lookups: readonly LookupFile[];
  readonly input: string;
  readonly output: string;
}

/** The examples of a document: blocks `plan`, perhaps `lookup NAME`, `input` and `output` in turn.
 *  Throws where one is missing. */
export function examplesOf(document: string): DocumentExample[] {
  const found = document.matchAll(/```(plan|input|output|lookup)(?: (\S+))?\n([\s\S]*?)```/g);
  const blocks = [...found].map(([, kind = '', name = '', text = '']) => ({ kind, name, text }));
  const examples: DocumentExample[] = [];
  for (let at = 0; at < blocks.length;) {
    const take = (kind: string): string => {
      const block = blocks[at++];
      if (block?.kind === kind) return block.text;
      throw new Error(`block ${String(at)} is not ${kind} but ${String(block?.kind)}`);
    };
    const plan = take('plan');
    const lookups: LookupFile[] = [];
    for (let block = blocks[at]; block?.kind === 'lookup'; block = blocks[++at])
      lookups.push(block);
    examples.push({ plan, lookups, input: take('input'), output: take('output') });
  }
  return examples;
}
