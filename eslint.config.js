import eslint from '@eslint/js';
import prettier from 'eslint-config-prettier';
import vue from 'eslint-plugin-vue';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import vueParser from 'vue-eslint-parser';

const typescriptFiles = ['**/*.ts', '**/*.vue'];

/** What would make a pure room depend on the moment it runs in. */
const noTimeNoChance = {
  'no-restricted-globals': [
    'error',
    ...[
      'setTimeout',
      'setInterval',
      'setImmediate',
      'queueMicrotask',
      'performance',
      'process',
    ].map((name) => ({
      name,
      message: 'Pure rooms take clocks, timers and the process as arguments.',
    })),
    { name: 'crypto', message: 'Pure rooms take randomness and ids as arguments.' },
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Pure rooms take the time as an argument.' },
    { object: 'Math', property: 'random', message: 'Pure rooms take randomness as an argument.' },
  ],
  'no-restricted-syntax': [
    'error',
    {
      selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
      message: 'Pure rooms take the time as an argument.',
    },
    {
      selector: 'ImportSpecifier[imported.name=/^(randomUUID|randomBytes|randomInt)$/]',
      message: 'Pure rooms take randomness and ids as arguments.',
    },
  ],
};

/** Modules that reach outside the process; hashing, streams and buffers are not among them. */
const outsideWorld = [
  'timers',
  'timers/promises',
  'process',
  'child_process',
  'worker_threads',
  'cluster',
  'os',
  'perf_hooks',
  'net',
  'tls',
  'http',
  'https',
  'dgram',
  'dns',
];
const noImport = (names) => ({
  'no-restricted-imports': [
    'error',
    {
      paths: names
        .flatMap((name) => [name, `node:${name}`])
        .map((name) => ({ name, message: 'Not in a pure room.' })),
    },
  ],
});

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      'node_modules/**',
      'bench/out/**',
      '**/.sluice/**',
      'pipeline/parsing/structural/assembly/**',
    ],
  },
  eslint.configs.recommended,
  ...vue.configs['flat/recommended'],
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({
    ...config,
    files: typescriptFiles,
  })),
  {
    files: typescriptFiles,
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.vue'],
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  {
    files: ['**/*.vue'],
    languageOptions: {
      parser: vueParser,
      parserOptions: { parser: tseslint.parser },
      globals: globals.browser,
    },
    rules: { 'vue/multi-word-component-names': 'off' },
  },
  {
    files: ['{pipeline,broker,master,worker,cli}/**/*.ts'],
    ignores: ['**/config.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only config.ts reads the environment.' },
      ],
      'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: ['pipeline/**/*.ts', 'master/coordination/**/*.ts'],
    rules: { ...noTimeNoChance, ...noImport([...outsideWorld, 'fs', 'fs/promises']) },
  },
  {
    files: ['pipeline/storage/**/*.ts'],
    rules: noImport(outsideWorld),
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: { globals: globals.node },
  },
  {
    files: ['tests/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
  prettier,
);
