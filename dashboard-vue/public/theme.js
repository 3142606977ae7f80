/* global document, matchMedia */
// Runs before the first paint, so that a remembered theme does not flash.
(() => {
  const remembered = () => {
    try {
      return localStorage.getItem('sluice.theme');
    } catch {
      return null; // storage is blocked: follow the system
    }
  };
  const choice = remembered();
  const isDark =
    choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
})();
