import type { Dataset } from './dataset.ts';
import { people } from './generate/people.ts';
import { taxi } from './generate/taxi.ts';
import { wide } from './generate/wide.ts';

export const DATASETS: readonly Dataset[] = [taxi, people, wide];

export function datasetNamed(name: string): Dataset {
  const found = DATASETS.find((dataset) => dataset.name === name);
  if (found === undefined) throw new Error(`no data set is called ${name}`);
  return found;
}
