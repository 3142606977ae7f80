// Runs before the first paint, so that a remembered theme does not flash.
(() => {
  let choice = null;
  try {
    choice = localStorage.getItem('sluice.theme');
  } catch {
    choice = null; // storage is blocked: follow the system
  }
  const dark =
    choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
