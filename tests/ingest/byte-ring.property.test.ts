import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RingReader, RingWriter } from '../../master/ingest/byte-ring.ts';

it('a ring gives the bytes that were written, in order, however they come and go', () => {
  const step = fc.record({ write: fc.nat(20), view: fc.nat(20), use: fc.nat(20) });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 16 }),
      fc.array(step, { maxLength: 60 }),
      (size, steps) => {
        const memory = new SharedArrayBuffer(size);
        const writer = new RingWriter(memory);
        const reader = new RingReader(memory);
        let written = 0;
        let used = 0;
        for (const { write, view, use } of steps) {
          const bytes = Uint8Array.from({ length: write }, (_, i) => written + i);
          const count = writer.write(bytes);
          expect(count).toBe(Math.min(write, size - (written - used)));
          reader.arrive(count);
          written += count;
          const seen = reader.view(view);
          if (view > 0 && written > used) expect(seen.length).toBeGreaterThan(0);
          expect([...seen]).toEqual(Array.from(seen, (_, i) => (used + i) % 256));
          const taken = Math.min(use, seen.length);
          reader.use(taken);
          writer.free(taken);
          used += taken;
        }
      },
    ),
  );
});
