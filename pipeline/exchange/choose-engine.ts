import type { KernelModule } from '../parsing/structural/kernel.ts';
import type { EntryEngine } from './entry-engine.ts';
import { KernelEngine } from './kernel-engine.ts';
import { SCRIPT_ENGINE } from './script-engine.ts';

const engines = new WeakMap<KernelModule, EntryEngine>();

/** The engine of a kernel, or without one: one for all programs, as it holds memory. */
export function entryEngine(module: KernelModule | null): EntryEngine {
  if (module === null) return SCRIPT_ENGINE;
  const engine = engines.get(module) ?? new KernelEngine(module);
  engines.set(module, engine);
  return engine;
}
