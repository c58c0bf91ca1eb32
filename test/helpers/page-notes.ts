/** What a page complains about, and whom it asks. */
import type { BrowserContext, Page } from 'playwright-core';

export type PageNotes = { complaints: string[]; hosts: Set<string> };

/** From now on; `hosts` are origins, those of the page's own blobs and data left out. */
export function notesOf(context: BrowserContext, page: Page): PageNotes {
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'blob:' && protocol !== 'data:') hosts.add(origin);
  });
  return { complaints, hosts };
}
