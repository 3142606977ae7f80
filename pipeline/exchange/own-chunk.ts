/**
 * Where records say what of the input they are (`RecordLayout.origins`) they begin with the number of
 * its chunk, from 1; with this where that is the chunk that their result is of. So results say
 * nothing of where their chunk stands, and who takes records out of several names it.
 */
export const OWN_CHUNK = 0;
