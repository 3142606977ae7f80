/**
 * Tells the usual encodings of Chinese, Japanese and Korean text from those of one byte a character:
 * two bytes at a time the text must be valid, and most pairs must be common characters. Text in one
 * byte a character fails, since its words have odd lengths too.
 */
interface MultiByte {
  /** WHATWG name. */
  readonly encoding: string;
  /** Whether the byte above 0x7f stands for a character alone. */
  readonly isSingle: (byte: number) => boolean;
  readonly isPair: (lead: number, trail: number) => boolean;
  readonly isCommon: (lead: number, trail: number) => boolean;
  /** Pairs that other encodings of the same shape hardly have, and their least share. */
  readonly mark?: { readonly isMark: (lead: number) => boolean; readonly shareMin: number };
}

const within = (byte: number, from: number, to: number): boolean => byte >= from && byte <= to;
const isHigh = (byte: number): boolean => within(byte, 0xa1, 0xfe);
const never = (): boolean => false;

/** Where two fit alike, the earlier one is taken. */
const ENCODINGS: readonly MultiByte[] = [
  {
    encoding: 'shift_jis',
    isSingle: (byte) => within(byte, 0xa1, 0xdf),
    isPair: (lead, trail) =>
      (within(lead, 0x81, 0x9f) || within(lead, 0xe0, 0xfc)) &&
      within(trail, 0x40, 0xfc) &&
      trail !== 0x7f,
    isCommon: (lead) => within(lead, 0x81, 0x83) || within(lead, 0x88, 0x98),
  },
  {
    encoding: 'euc-jp',
    isSingle: never,
    isPair: (lead, trail) => (isHigh(lead) || lead === 0x8e) && isHigh(trail),
    isCommon: (lead) => lead === 0xa1 || lead === 0xa4 || lead === 0xa5 || within(lead, 0xb0, 0xcf),
    mark: { isMark: (lead) => lead === 0xa4 || lead === 0xa5, shareMin: 0.2 },
  },
  {
    encoding: 'euc-kr',
    isSingle: never,
    isPair: (lead, trail) => within(lead, 0x81, 0xfe) && within(trail, 0x41, 0xfe),
    isCommon: (lead, trail) => within(lead, 0xb0, 0xc8) && isHigh(trail),
  },
  {
    encoding: 'gb18030',
    isSingle: never,
    isPair: (lead, trail) =>
      within(lead, 0x81, 0xfe) && within(trail, 0x40, 0xfe) && trail !== 0x7f,
    isCommon: (lead, trail) =>
      isHigh(trail) && (within(lead, 0xb0, 0xd7) || lead === 0xa1 || lead === 0xa3),
  },
  {
    encoding: 'big5',
    isSingle: never,
    isPair: (lead, trail) =>
      within(lead, 0xa1, 0xf9) && (within(trail, 0x40, 0x7e) || isHigh(trail)),
    isCommon: (lead) => within(lead, 0xa4, 0xc6) || lead === 0xa1,
  },
];

/** Fewer words of high bytes may all be of even length by chance. */
const WORDS_MIN = 4;
const COMMON_SHARE_MIN = 0.85;

/** The multi-byte encoding that the sample is in, which is not UTF-8, or null. */
export function multiByteEncoding(sample: Uint8Array): string | null {
  let best: string | null = null;
  let bestShare = COMMON_SHARE_MIN;
  for (const candidate of ENCODINGS) {
    const share = shareOfCommon(sample, candidate);
    if (share <= bestShare) continue;
    [best, bestShare] = [candidate.encoding, share];
  }
  return best !== null && decodes(sample, best) ? best : null;
}

/** Share of common characters among those above 0x7f; 0 where one is not valid. */
function shareOfCommon(
  sample: Uint8Array,
  { isSingle, isPair, isCommon, mark }: MultiByte,
): number {
  let words = 0;
  let characters = 0;
  let common = 0;
  let marks = 0;
  for (let at = 0; at < sample.length; at++) {
    const lead = sample[at]!;
    if (lead < 0x80) continue;
    if (at === 0 || sample[at - 1]! < 0x80) words++;
    characters++;
    if (isSingle(lead)) continue;
    const trail = sample[++at];
    if (trail === undefined) break;
    if (!isPair(lead, trail)) return 0;
    if (isCommon(lead, trail)) common++;
    if (mark?.isMark(lead) === true) marks++;
  }
  if (words < WORDS_MIN || (mark !== undefined && marks < characters * mark.shareMin)) return 0;
  return common / characters;
}

function decodes(sample: Uint8Array, encoding: string): boolean {
  try {
    new TextDecoder(encoding, { fatal: true }).decode(sample, { stream: true });
    return true;
  } catch {
    return false;
  }
}
