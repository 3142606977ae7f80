/**
 * Those of `all` that a flag names, in the order of `all`: names with commas between them, or
 * everything where the flag was left out. Throws where a name is none of them.
 */
export function chosen<T>(
  flag: string,
  names: string | undefined,
  all: readonly T[],
  nameOf: (one: T) => string,
): readonly T[] {
  if (names === undefined) return all;
  const wanted = names.split(',');
  const known = all.map(nameOf);
  for (const name of wanted) {
    if (!known.includes(name)) {
      throw new Error(
        `--${flag} ${name}: there is none of this name; there is ${known.join(', ')}`,
      );
    }
  }
  return all.filter((one) => wanted.includes(nameOf(one)));
}
