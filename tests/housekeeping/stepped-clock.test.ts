import { expect, it } from 'vitest';
import { SteppedClock } from '../../master/housekeeping/stepped-clock.ts';

/** A clock that runs evenly after `skewMs`, which a test changes. */
function clockAt() {
  const time = { steadyMs: 5_000, skewMs: 1_700_000_000_000 };
  const clock = new SteppedClock(
    () => time.steadyMs + time.skewMs,
    () => time.steadyMs,
  );
  const after = (ms: number): boolean => {
    time.steadyMs += ms;
    return clock.hasRunEvenlyFor(1_000);
  };
  return { time, after };
}

it('a clock is known from when it has run evenly for so long', () => {
  const { after } = clockAt();
  expect([after(0), after(999), after(1), after(10_000)]).toEqual([false, false, true, true]);
});

it.each([-86_400_000, 86_400_000, 1_001])('one that is set by %i ms is unknown again', (ms) => {
  const { time, after } = clockAt();
  expect(after(2_000)).toBe(true);
  time.skewMs += ms;
  expect([after(5_000), after(999), after(1)]).toEqual([false, false, true]);
});

it('small steps, as of a clock that is kept right, are none', () => {
  const { time, after } = clockAt();
  after(2_000);
  time.skewMs += 900;
  expect(after(1)).toBe(true);
});
