/** Parts of a time that functions name, in English and singular. */
export const DATE_PARTS = [
  ...(['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const),
  ...(['millisecond', 'microsecond', 'decade', 'century', 'dow', 'isodow', 'doy'] as const),
] as const;

export type DatePart = (typeof DATE_PARTS)[number];
