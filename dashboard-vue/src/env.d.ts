/// <reference types="vite/client" />

// For tools that do not read components; vue-tsc does, and this gives way to it.
declare module '*.vue' {
  import type { Component } from 'vue';
  const component: Component;
  export default component;
}
