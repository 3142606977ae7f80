/** What a coordinator has counted since its process was started. */
export interface CoordinatorCounts {
  chunksDone: number;
  chunksReused: number;
  chunksFailed: number;
  recordsIn: number;
  tasksPublished: number;
  announcementsDuplicate: number;
  resultsDamaged: number;
}

export const NO_COUNTS: Readonly<CoordinatorCounts> = {
  ...{ chunksDone: 0, chunksReused: 0, chunksFailed: 0, recordsIn: 0 },
  ...{ tasksPublished: 0, announcementsDuplicate: 0, resultsDamaged: 0 },
};
