import { computed, readonly, ref, watch } from 'vue';

/** Light or dark: as the system says, or as the user chose; the choice is remembered. */
export type ThemeChoice = 'system' | 'light' | 'dark';

const KEY = 'sluice.theme';
const system = window.matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = ref(system.matches);
const choice = ref<ThemeChoice>(remembered());
const isDark = computed(() =>
  choice.value === 'system' ? systemIsDark.value : choice.value === 'dark',
);

system.addEventListener('change', (event) => {
  systemIsDark.value = event.matches;
});
watch(
  isDark,
  (dark) => {
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
  },
  { immediate: true },
);

function remembered(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system'; // storage is blocked
  }
}

function choose(next: ThemeChoice): void {
  choice.value = next;
  try {
    if (next === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Storage is blocked: the choice holds until the page is left.
  }
}

export function useTheme() {
  return { choice: readonly(choice), isDark, choose };
}
