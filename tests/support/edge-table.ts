import type { Types } from './expression-oracle.ts';

/** A table of values of every type at which functions have their edges. */

export const EDGE_HEADER = ['n', 'm', 'x', 'y', 's', 'u', 'b', 'd', 'e', 't', 'z'];
export const EDGE_TYPES: Types = {
  ...{ n: 'integer', m: 'integer', x: 'number', y: 'number', b: 'boolean' },
  ...{ d: 'date', e: 'date', t: 'datetime', z: 'datetime' },
};

const EDGES: Readonly<Record<string, readonly string[]>> = {
  n: [
    '0',
    '1',
    '-1',
    '7',
    '-7',
    '',
    '9007199254740991',
    '9007199254740993',
    '-9223372036854775808',
  ],
  m: ['3', '-3', '0', '', '2', '9223372036854775807', '-1', '10', '64', '1000000007', '-2'],
  x: ['0.0', '-0.0', '1.5', '-2.5', '', '1e300', '2.675', '1e-9', '123456.789', '0.5', '-0.1', '3'],
  y: ['2.0', '0.0', '-1.5', '10', '', '0.25', '1e16'],
  s: [
    'abc',
    'Hello World',
    ' pad ',
    '',
    'straße',
    'ÄÖÜ é',
    '日本語',
    '🙂 ok',
    'a,b,,c',
    'İx',
    'x"y',
    'ΑΣ',
    'e\u0301a',
  ],
  u: ['b', ' ', ',', '', 'l', 'é', 'abc', 'xy', '🙂'],
  b: ['true', 'false', ''],
  d: [
    '2024-01-31',
    '2024-02-29',
    '1969-12-31',
    '',
    '1900-03-01',
    '2023-12-25',
    '2000-02-28',
    '0101-01-01',
    '9998-12-31',
  ],
  e: ['2024-03-01', '1970-01-01', '', '2023-02-28', '2024-12-30', '1965-07-15', '2021-01-03'],
  t: [
    '2024-01-31 23:59:59.999999',
    '1969-12-31 23:00:00',
    '',
    '2024-02-29 12:34:56',
    '1583-01-01 00:00:00.5',
    '2024-01-01 00:00:00',
    '9998-12-31 23:59:59.999999',
  ],
  z: [
    '2024-02-01 00:00:00',
    '',
    '1970-01-01 00:30:00',
    '1960-06-15 08:09:10.25',
    '2030-10-27 01:02:03',
  ],
};

const quoted = (text: string): string =>
  /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
const lines = [EDGE_HEADER.join(',')];
for (let i = 0; i < 400; i++) {
  lines.push(
    EDGE_HEADER.map((name, column) => {
      const values = EDGES[name] ?? [];
      return quoted(
        values[(i * (column + 1) + Math.floor(i / values.length)) % values.length] ?? '',
      );
    }).join(','),
  );
}
/** 400 records, in RFC 4180. */
export const EDGE_TEXT = `${lines.join('\n')}\n`;
