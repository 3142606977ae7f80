import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromiumNeed, launchChromium } from '../support/chromium.ts';
import { cuttingProxy, type CuttingProxy } from '../support/cutting-proxy.ts';
import { generateFile } from '../support/generate.ts';
import { download, ended } from '../support/jobs.ts';
import { describeWith } from '../support/needs.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { sha256OfRun } from '../support/sluice.ts';

/** Slow enough to be cut off in the middle. */
const BYTES_PER_SECOND = 6_000_000;
const FILE_BYTES = 30_000_000;

describeWith(chromiumNeed, 'uploads of a real browser', () => {
  let server: TestServer;
  let proxy: CuttingProxy;
  let browser: Browser;
  let folder: string;
  let file: string;
  let wanted: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-browser-uploads-'));
    file = path.join(folder, 'people.csv');
    await generateFile(file, { bytes: FILE_BYTES, seed: 77, malformedEvery: 0 });
    wanted = await sha256OfRun(file);
    server = await startServer({ dataDir: path.join(folder, 'data'), workers: 1 });
    proxy = await cuttingProxy(server);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await proxy?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function openSlowly(): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    await page.goto(`${proxy.url}/new`);
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    const limits = { offline: false, latency: 0, downloadThroughput: -1 };
    await session.send('Network.emulateNetworkConditions', {
      ...{ ...limits, uploadThroughput: BYTES_PER_SECOND },
    });
    return page;
  }

  async function start(page: Page): Promise<string> {
    await page.setInputFiles('input[type=file]', file);
    await page.getByRole('table', { name: 'First records' }).waitFor();
    await page.getByRole('button', { name: 'Start the job' }).click();
    await page.waitForURL(/\/jobs\/./);
    return new URL(page.url()).pathname.split('/').at(-1) ?? '';
  }

  const received = (page: Page) =>
    page.getByRole('progressbar', { name: 'Received' }).getAttribute('aria-valuenow').then(Number);

  async function receivedSome(page: Page, atLeast: number): Promise<void> {
    await expect.poll(() => received(page), { timeout: 60_000 }).toBeGreaterThan(atLeast);
  }

  async function expectWhole(id: string): Promise<void> {
    expect(await ended(server, id)).toMatchObject({ status: 'completed' });
    expect((await download(server, id)).sha256).toBe(wanted);
  }

  it('go on after the network was cut, and say so meanwhile', async () => {
    const page = await openSlowly();
    const id = await start(page);
    await receivedSome(page, 20);
    proxy.refuse(true);
    proxy.cut();
    await page.getByText('Connection lost, resuming').waitFor();
    proxy.refuse(false);
    await page.getByText('This page is sending the file').waitFor();
    await page.getByText('Completed', { exact: true }).waitFor({ timeout: 60_000 });
    await expectWhole(id);
    await page.context().close();
  });

  it('can be paused and continued', async () => {
    const page = await openSlowly();
    const id = await start(page);
    await receivedSome(page, 10);
    await page.getByRole('button', { name: 'Pause upload' }).click();
    await page.getByText('Upload paused at').waitFor();
    await page.getByRole('button', { name: 'Continue upload' }).click();
    await page.getByText('Completed', { exact: true }).waitFor({ timeout: 60_000 });
    await expectWhole(id);
    await page.context().close();
  });

  it('go on after a reload, when the same file is chosen again', async () => {
    const page = await openSlowly();
    const id = await start(page);
    await receivedSome(page, 20);
    page.on('dialog', (dialog) => void dialog.accept());
    await page.goto(`${proxy.url}/new`);
    await page.setInputFiles('input[type=file]', file);
    await page.getByText('An upload of this file was cut off').waitFor();
    await page.getByRole('button', { name: 'Continue that upload' }).click();
    await page.waitForURL(new RegExp(`/jobs/${id}$`));
    await page.getByText('Completed', { exact: true }).waitFor({ timeout: 60_000 });
    await expectWhole(id);
    await page.context().close();
  });
});
