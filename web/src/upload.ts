// An audience on its way to where the API wants it.
import type { Audience, Upload } from './api.gen.ts';
import { Fault, post } from './api.ts';

/** Puts a list there and gives its id; told hears how far it is, 0 to 1. fetch cannot tell. */
export async function upload(tenant: string, body: Blob, told: (part: number) => void): Promise<string> {
  const to = await post<Upload>('/v1/audiences', { size: body.size, ...(tenant && { tenant }) });
  await new Promise<void>((resolve, reject) => {
    const r = new XMLHttpRequest();
    r.open(to.method, to.url);
    for (const [name, v] of Object.entries(to.headers ?? {})) r.setRequestHeader(name, v);
    r.upload.onprogress = (e) => { if (e.lengthComputable) told(e.loaded / e.total); };
    r.onload = () => (r.status < 300 ? resolve() : reject(new Fault(r.status, { code: 'unavailable', detail: r.responseText.slice(0, 300) })));
    r.onerror = () => reject(new Fault(0, {}));
    r.send(body);
  });
  return to.id;
}

/** What was chosen in the form, as the API takes it. */
export interface Chosen {
  /** A file of this browser's, which is uploaded first. */
  file?: Blob;
  audience: Audience;
}

/** What was put already: an order that was refused, or whose answer was lost, is given again without its list, and as the same one. */
const put = new WeakMap<Blob, Map<string, string>>();

/** The audience of a choice: uploads its file, if it has one, once. */
export async function audienceOf(tenant: string, c: Chosen, told: (part: number) => void): Promise<Audience> {
  if (!c.file) return c.audience;
  const ids = put.get(c.file) ?? new Map<string, string>();
  put.set(c.file, ids);
  const id = ids.get(tenant) ?? await upload(tenant, c.file, told);
  ids.set(tenant, id);
  return { ...c.audience, upload: id };
}
