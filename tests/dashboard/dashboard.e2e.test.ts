import { createHash } from 'node:crypto';
import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromiumNeed, launchChromium } from '../support/chromium.ts';
import { generateFile } from '../support/generate.ts';
import { describeWith } from '../support/needs.ts';
import { startServer, type TestServer } from '../support/server.ts';

const FILE_BYTES = 60_000_000;
/** Slow enough to look at the job while it is uploaded. */
const UPLOAD_BYTES_PER_SECOND = 12_000_000;
const SMALL = 'id,name,amount\n1,Ada,2.5\n2,"<b>Grace</b>",3\n3,short\n4,Alan,4\n';

interface Sample {
  readonly received: number;
  readonly processed: number;
  readonly status: string;
  readonly records: number;
}

describeWith(chromiumNeed, 'dashboard in a real browser', () => {
  let server: TestServer;
  let browser: Browser;
  let folder: string;
  let jobUrl: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-dashboard-'));
    await generateFile(path.join(folder, 'people.csv'), {
      bytes: FILE_BYTES,
      seed: 7,
      malformedEvery: 0,
    });
    await writeFile(path.join(folder, 'small.csv'), SMALL);
    server = await startServer({ dataDir: path.join(folder, 'data') });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(where: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      ...options,
    });
    const page = await context.newPage();
    await page.goto(server.url + where);
    return page;
  }

  async function startJob(page: Page, file: string): Promise<void> {
    await page.setInputFiles('input[type=file]', path.join(folder, file));
    await page.getByRole('table', { name: 'First records' }).waitFor();
    await page.getByRole('button', { name: 'Start the job' }).click();
    await page.waitForURL(/\/jobs\//);
  }

  it('shows first records and dialect before anything is stored', async () => {
    const page = await open('/');
    await page.setInputFiles('input[type=file]', path.join(folder, 'small.csv'));
    const table = page.getByRole('table', { name: 'First records' });
    await table.getByText('<b>Grace</b>').waitFor();
    expect(await page.getByLabel('What was detected').innerText()).toContain('delimiter comma');
    await page.locator('[data-option=header]').selectOption({ label: 'none' });
    await table.getByText('column0', { exact: true }).waitFor();
    expect(await page.getByLabel('Plan, YAML or JSON').inputValue()).toContain('header: false');
    const answer = await fetch(`${server.url}/api/jobs`);
    expect(((await answer.json()) as { jobs: unknown[] }).jobs).toEqual([]);
    await page.context().close();
  });

  it('shows where a plan is wrong, and does not start it', async () => {
    const page = await open('/');
    await page.setInputFiles('input[type=file]', path.join(folder, 'small.csv'));
    await page.getByText('First records').first().waitFor();
    await page.getByLabel('Plan, YAML or JSON').fill('version: 1\nsteps:\n  - selct: [id]\n');
    await page.getByRole('button', { name: 'line 3, column 5' }).waitFor();
    expect(await page.getByRole('button', { name: 'Start the job' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Insert an example' }).click();
    await page.getByText('Keep a few columns').click();
    await page.getByText('select record').waitFor();
    expect(await page.getByRole('button', { name: 'Start the job' }).isEnabled()).toBe(true);
    await page.context().close();
  });

  it('takes a statement in place of steps, and shows where it is wrong in its own lines', async () => {
    const page = await open('/');
    await page.setInputFiles('input[type=file]', path.join(folder, 'small.csv'));
    await page.getByText('First records').first().waitFor();
    await page.getByRole('tab', { name: 'SQL' }).click();
    const statement = page.getByLabel('SQL statement');
    await statement.fill('SELECT count(*) AS n\nFROM inptu');
    await page.getByRole('button', { name: 'line 2, column 6' }).click();
    const caret = await statement.evaluate(
      (area) => (area as unknown as { selectionStart: number }).selectionStart,
    );
    expect(caret).toBe(26);
    expect(await page.getByRole('button', { name: 'Start the job' }).isDisabled()).toBe(true);
    await statement.fill('SELECT count(*) AS n\nFROM input');
    await page.getByText('aggregate').waitFor();
    await page.getByText('n integer').last().waitFor();
    await page.getByRole('tab', { name: 'Plan', exact: true }).click();
    expect(await page.getByLabel('Plan, YAML or JSON').inputValue()).toContain('sql: |-');
    await page.getByRole('button', { name: 'Start the job' }).click();
    await page.waitForURL(/\/jobs\//);
    await page.getByText('Completed').first().waitFor();
    await page.context().close();
  });

  it('moves both bars, and shows records before the upload has ended', async () => {
    const page = await open('/');
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: UPLOAD_BYTES_PER_SECOND,
    });
    await startJob(page, 'people.csv');
    const samples: Sample[] = [];
    do {
      samples.push(await sampleOf(page));
      await page.waitForTimeout(150);
    } while (samples.at(-1)?.status !== 'Completed' && samples.length < 400);
    jobUrl = new URL(page.url()).pathname;

    const whole = (values: number[]) => new Set(values.filter((value) => value > 0 && value < 100));
    expect(whole(samples.map((sample) => sample.received)).size).toBeGreaterThan(2);
    expect(whole(samples.map((sample) => sample.processed)).size).toBeGreaterThan(1);
    expect(samples.some((sample) => sample.status === 'Receiving' && sample.records > 0)).toBe(
      true,
    );
    expect(samples.at(-1)).toMatchObject({ received: 100, processed: 100, status: 'Completed' });
    await page.context().close();
  });

  it('downloads the result, byte for byte', async () => {
    const page = await open(jobUrl);
    await page.getByRole('button', { name: 'Download' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByText(/^Result ·/).click(),
    ]);
    const target = path.join(folder, 'downloaded.csv');
    await download.saveAs(target);
    const digest = async (file: string) =>
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
    expect(await digest(target)).toBe(await digest(path.join(folder, 'people.csv')));
    expect(download.suggestedFilename()).toContain('people');
    await page.context().close();
  });

  it('pages through the records as they are scrolled to', async () => {
    const page = await open(jobUrl);
    const region = page.getByRole('region', { name: 'Records, scrollable' });
    await region.getByText('000000001', { exact: true }).waitFor();
    const total = await region.getByRole('table').getAttribute('aria-rowcount');
    await region.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    const lastId = String(Number(total) - 1).padStart(9, '0');
    await region.getByText(lastId, { exact: true }).waitFor();
    await page.context().close();
  });

  it('works by polling where no socket can be had', async () => {
    const page = await open('/');
    await page.route('**/socket.io/**', (route) => route.abort());
    await page.routeWebSocket(/socket\.io/, (socket) => socket.close());
    await startJob(page, 'small.csv');
    await page.getByText('polling', { exact: true }).waitFor();
    await page.getByText('Completed', { exact: true }).waitFor();
    await page.getByRole('table', { name: 'Records' }).getByText('<b>Grace</b>').waitFor();
    await page.getByRole('tab', { name: /^Rejects/ }).click();
    await page.getByRole('table', { name: 'Rejects' }).getByText('3,short').waitFor();
    await page.context().close();
  });

  it('moves between tabs by the arrow keys, and keeps the tab over a reload', async () => {
    const page = await open(jobUrl);
    await page.getByRole('tab', { name: /^Records/ }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.getByText('columns over').waitFor();
    await page.reload();
    await page.getByText('columns over').waitFor();
    const profile = page.getByRole('tab', { name: 'Profile' });
    expect(await profile.getAttribute('aria-selected')).toBe('true');
    await page.context().close();
  });

  it.each([
    { width: 360, colorScheme: 'light' as const },
    { width: 390, colorScheme: 'dark' as const },
    { width: 1440, colorScheme: 'dark' as const },
  ])('fits $width px in $colorScheme, and every control has a name', async (look) => {
    const viewport = { width: look.width, height: 800 };
    const page = await open('/', { viewport, colorScheme: look.colorScheme });
    const tabs = ['#records', '#rejects', '#profile', '#chunks', '#plan'].map(
      (tab) => jobUrl + tab,
    );
    for (const where of ['/', '/new', '/workers', '/no-such-page', ...tabs]) {
      await page.goto(server.url + where);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForTimeout(300);
      expect([where, await sidewaysPixels(page)]).toEqual([where, 0]);
      expect([where, await namelessControls(page)]).toEqual([where, []]);
    }
    expect(await themeOf(page)).toBe(look.colorScheme);
    await page.context().close();
  });

  it('remembers the chosen theme', async () => {
    const page = await open('/', { colorScheme: 'light' });
    await page.getByRole('button', { name: /^Theme: Auto/ }).click();
    await page.getByRole('button', { name: /^Theme: Light/ }).click();
    await page.reload();
    await page.getByRole('button', { name: /^Theme: Dark/ }).waitFor();
    expect(await themeOf(page)).toBe('dark');
    await page.context().close();
  });

  it('keeps the list over a reload and a restart, and recovers by itself', async () => {
    const list = await open('/');
    const job = await open(jobUrl);
    await job.getByText('live', { exact: true }).waitFor();
    await list.getByRole('link', { name: 'people.csv' }).waitFor();
    await list.reload();
    await list.getByRole('link', { name: 'people.csv' }).waitFor();
    const { port, dataDir } = server;
    await server.stop();
    await job.getByText('offline', { exact: true }).waitFor();
    expect(await job.getByRole('heading', { name: 'people.csv' }).isVisible()).toBe(true);
    server = await startServer({ port, dataDir });
    await job.getByText('live', { exact: true }).waitFor();
    await list.getByRole('link', { name: 'people.csv' }).waitFor();
    const search = list.getByLabel('Search jobs by name');
    await search.fill('no such job');
    await list.getByText('No job fits').waitFor();
    await search.fill('PEOP');
    await list.getByRole('link', { name: 'people.csv' }).waitFor();
    await job.context().close();
    await list.context().close();
  });
});

async function sampleOf(page: Page): Promise<Sample> {
  return page.locator('body').evaluate((body) => {
    const bar = (name: string) =>
      Number(
        body.querySelector(`[role=progressbar][aria-label=${name}]`)?.getAttribute('aria-valuenow'),
      );
    const cells = [...body.querySelectorAll('[role=table][aria-label=Records] [role=cell]')];
    return {
      received: bar('Received'),
      processed: bar('Processed'),
      status: body.querySelector('.job-header .tag')?.textContent?.trim() ?? '',
      records: cells.filter((cell) => cell.textContent !== '').length,
    };
  });
}

function sidewaysPixels(page: Page): Promise<number> {
  return page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth);
}

function themeOf(page: Page): Promise<string | undefined> {
  return page.locator('html').evaluate((html) => html.dataset['theme']);
}

/** Controls that assistive technology would read without a name. */
function namelessControls(page: Page): Promise<string[]> {
  const controls = page.locator(
    'button, a[href], input, select, textarea, [role=tab], [role=progressbar], [role=region]',
  );
  return controls.evaluateAll((elements) =>
    elements
      .filter((element) => {
        const labelled = (element as { labels?: ArrayLike<typeof element> | null }).labels?.[0];
        const name = element.getAttribute('aria-label') ?? (labelled ?? element).textContent;
        return (name ?? '').trim() === '';
      })
      .map((element) => element.outerHTML.slice(0, 120)),
  );
}
