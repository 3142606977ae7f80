// A process of its own: reads FILE with csv-parse and prints what Sluice should make of it as JSON:
// {records, rejected, sha256, kept, keptSha256}. A record with the wrong number of cells is a reject.
// `sha256` is over the records as JSON arrays, one a line, header first; `kept` are those whose
// column named by the second argument equals the third.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';

const [file, column, value] = process.argv.slice(2);
const all = createHash('sha256');
const some = createHash('sha256');
const counts = { records: 0, rejected: 0, kept: 0 };
let header = null;
await pipeline(
  createReadStream(file),
  parse({ bom: true, relax_column_count: true }),
  async (records) => {
    for await (const record of records) {
      const line = `${JSON.stringify(record)}\n`;
      if (header === null) {
        header = record;
        all.update(line);
        some.update(line);
      } else if (record.length !== header.length) counts.rejected++;
      else {
        counts.records++;
        all.update(line);
        if (column !== undefined && record[header.indexOf(column)] === value) {
          counts.kept++;
          some.update(line);
        }
      }
    }
  },
);
console.log(
  JSON.stringify({ ...counts, sha256: all.digest('hex'), keptSha256: some.digest('hex') }),
);
