import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { ChildMessage, MasterMessage } from './ipc-messages.ts';
import { Announcement, Revocation, TaskMessage } from './messages.ts';

/** A message that came over a boundary, or why it is none. Unknown members are kept. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Compiled at the first message: a process takes some of the kinds alone. */
const task = lazy(() => Compile(TaskMessage));
const announcement = lazy(() => Compile(Announcement));
const revocation = lazy(() => Compile(Revocation));
const fromChild = lazy(() => Compile(ChildMessage));
const fromMaster = lazy(() => Compile(MasterMessage));

/** A task from the bytes of a broker message. */
export function parseTask(bytes: Uint8Array): Parsed<TaskMessage> {
  return parseJson(bytes, task());
}

/** An announcement from the bytes of a broker message. */
export function parseAnnouncement(bytes: Uint8Array): Parsed<Announcement> {
  return parseJson(bytes, announcement());
}

/** A revocation from the bytes of a broker message. */
export function parseRevocation(bytes: Uint8Array): Parsed<Revocation> {
  return parseJson(bytes, revocation());
}

/** What a worker child process sent. */
export function checkChildMessage(message: unknown): Parsed<ChildMessage> {
  return check(message, fromChild());
}

/** What the master sent to a worker child process. */
export function checkMasterMessage(message: unknown): Parsed<MasterMessage> {
  return check(message, fromMaster());
}

function lazy<T>(make: () => T): () => T {
  let made: T | null = null;
  return () => (made ??= make());
}

function parseJson<S extends TSchema>(
  bytes: Uint8Array,
  validator: Validator<Record<never, never>, S>,
): Parsed<Static<S>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { ok: false, reason: `not JSON in UTF-8 (${bytes.length} bytes)` };
  }
  return check(value, validator);
}

function check<S extends TSchema>(
  value: unknown,
  validator: Validator<Record<never, never>, S>,
): Parsed<Static<S>> {
  if (validator.Check(value)) return { ok: true, value };
  const [first] = validator.Errors(value);
  const place = first === undefined || first.instancePath === '' ? '/' : first.instancePath;
  return { ok: false, reason: `${place} ${first?.message ?? 'does not fit the schema'}` };
}
