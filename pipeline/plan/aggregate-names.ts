import type { MeasurePlan } from './step.ts';

/** Every name of an aggregate function, and the function. */
export const AGGREGATES: Readonly<Record<string, MeasurePlan['function']>> = {
  ...{ count: 'count', sum: 'sum', min: 'min', max: 'max', avg: 'avg', mean: 'avg' },
  ...{ stddev: 'stddev_samp', stddev_samp: 'stddev_samp', stddev_pop: 'stddev_pop' },
  ...{ variance: 'var_samp', var_samp: 'var_samp', var_pop: 'var_pop' },
  ...{ bool_and: 'bool_and', bool_or: 'bool_or', mode: 'mode' },
  ...{ first: 'first', last: 'last', any_value: 'any_value', arbitrary: 'first' },
  ...{ string_agg: 'string_agg', group_concat: 'string_agg', listagg: 'string_agg' },
  ...{ median: 'quantile_cont', quantile_cont: 'quantile_cont', quantile: 'quantile_disc' },
  ...{ quantile_disc: 'quantile_disc', approx_quantile: 'approx_quantile' },
  ...{ approx_count_distinct: 'approx_count_distinct' },
};

/** Aggregate functions of DuckDB that are not built. */
export const LATER_AGGREGATES: readonly string[] =
  'list array_agg arg_min arg_max product histogram skewness kurtosis corr'.split(' ');

/** Whether a name is that of an aggregate function, built or not. */
export function isAggregate(name: string): boolean {
  const word = name.toLowerCase();
  return Object.hasOwn(AGGREGATES, word) || LATER_AGGREGATES.includes(word);
}
