export * from './job.ts';
export * from './live.ts';
export * from './manifest.ts';
export * from './messages.ts';
export * from './plan-check.ts';
export type * from './task-queue.ts';
