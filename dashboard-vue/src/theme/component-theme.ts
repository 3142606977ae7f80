import { commonDark, commonLight, type GlobalThemeOverrides } from 'naive-ui';

/** The component library in the colours of `styles/tokens.css`. */
const FONT = {
  fontFamily:
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif",
  borderRadius: '8px',
  borderRadiusSmall: '7px',
  fontSize: '14px',
  fontWeightStrong: '600',
};

const accent = (color: string, hover: string, pressed: string) => ({
  primaryColor: color,
  primaryColorHover: hover,
  primaryColorPressed: pressed,
  primaryColorSuppl: color,
});

export const LIGHT: { base: typeof commonLight; overrides: GlobalThemeOverrides } = {
  base: commonLight,
  overrides: {
    common: {
      ...FONT,
      ...accent('#0b6670', '#0d7a86', '#084a52'),
      textColorBase: '#11272b',
      bodyColor: '#f4f6f5',
      cardColor: '#ffffff',
      modalColor: '#ffffff',
      popoverColor: '#ffffff',
      borderColor: '#8b9a98',
      errorColor: '#b3261e',
      errorColorHover: '#c5352c',
      errorColorPressed: '#8c1c16',
    },
  },
};

export const DARK: { base: typeof commonDark; overrides: GlobalThemeOverrides } = {
  base: commonDark,
  overrides: {
    common: {
      ...FONT,
      ...accent('#5cc8c4', '#7dd8d4', '#41aca8'),
      textColorBase: '#e6f0ef',
      bodyColor: '#0c1517',
      cardColor: '#132023',
      modalColor: '#172629',
      popoverColor: '#1a2b2f',
      borderColor: '#6b8186',
      errorColor: '#ff8f84',
      errorColorHover: '#ffa79e',
      errorColorPressed: '#e5766b',
    },
  },
};
