import { createRouter, createWebHistory } from 'vue-router';
import JobsView from './views/JobsView.vue';

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', name: 'jobs', component: JobsView, meta: { title: 'Jobs' } },
    { path: '/jobs', redirect: '/' },
    {
      path: '/new',
      name: 'new',
      component: () => import('./views/NewJobView.vue'),
      meta: { title: 'New job' },
    },
    {
      path: '/jobs/:id',
      name: 'job',
      component: () => import('./views/JobView.vue'),
      props: true,
      meta: { title: 'Job' },
    },
    {
      path: '/workers',
      name: 'workers',
      component: () => import('./views/WorkersView.vue'),
      meta: { title: 'Workers' },
    },
    {
      path: '/:rest(.*)*',
      name: 'missing',
      component: () => import('./views/MissingView.vue'),
      meta: { title: 'Not found' },
    },
  ],
  scrollBehavior: (to, from, saved) => (to.path === from.path ? false : (saved ?? { top: 0 })),
});

router.afterEach((to) => {
  const title = to.meta['title'];
  document.title = typeof title === 'string' ? `${title} · Sluice` : 'Sluice';
});
