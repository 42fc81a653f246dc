/** Light or dark: the system's choice until the user makes one, which lasts as long as the page. */
export function isDark(): boolean {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
}

export function toggleTheme(): void {
  document.documentElement.dataset['theme'] = isDark() ? 'light' : 'dark';
}

/** The colours of the style sheet, for canvases, which get them as written: `light-dark(…, …)` is theirs to decide. */
export function colourOf(name: string): string {
  const written = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const [, light, dark] = /^light-dark\(([^,]+), ([^,]+)\)$/.exec(written) ?? [];
  return light === undefined || dark === undefined ? written : isDark() ? dark : light;
}
