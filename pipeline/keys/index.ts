export { canonicalJson } from './canonical-json.ts';
export {
  chunkKey,
  contextKey,
  InputHasher,
  KEY_RECIPE_VERSION,
  oversizedKey,
  taskKey,
} from './keys.ts';
