import { Type, type Static } from 'typebox';
import { Announcement, Revocation, TaskMessage } from './messages.ts';

/** Messages between the master and its worker child processes, when no broker stands between. */

const ErrorDocumentSchema = Type.Object({
  code: Type.String(),
  message: Type.String(),
  details: Type.Record(Type.String(), Type.Unknown()),
});

/** Master to child. */
export const MasterMessage = Type.Union([
  Type.Object({
    kind: Type.Literal('task'),
    deliveryId: Type.Integer(),
    redelivered: Type.Boolean(),
    task: TaskMessage,
  }),
  /** The master has committed the announcement. */
  Type.Object({ kind: Type.Literal('announced'), requestId: Type.Integer() }),
  Type.Object({
    kind: Type.Literal('not-announced'),
    requestId: Type.Integer(),
    error: ErrorDocumentSchema,
  }),
  Type.Object({ kind: Type.Literal('revoke'), revocation: Revocation }),
  /** No task follows this. */
  Type.Object({ kind: Type.Literal('no-more-tasks') }),
  /** The child finishes what it computes, and exits. */
  Type.Object({ kind: Type.Literal('drain') }),
]);
export type MasterMessage = Static<typeof MasterMessage>;

/** Child to master. */
export const ChildMessage = Type.Union([
  Type.Object({ kind: Type.Literal('consume'), prefetch: Type.Integer({ minimum: 1 }) }),
  /** The child takes no more tasks; answered by `no-more-tasks`. */
  Type.Object({ kind: Type.Literal('stop-consuming') }),
  Type.Object({
    kind: Type.Literal('verdict'),
    deliveryId: Type.Integer(),
    verdict: Type.Union([Type.Literal('ack'), Type.Literal('requeue'), Type.Literal('drop')]),
  }),
  Type.Object({
    kind: Type.Literal('announce'),
    requestId: Type.Integer(),
    announcement: Announcement,
  }),
]);
export type ChildMessage = Static<typeof ChildMessage>;
