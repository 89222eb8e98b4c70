// The journey on types that openapi-typescript generated, through openapi-fetch: a process of its own.
// node client.js ADDRESS SALES_TOKEN BILLING_TOKEN < journey.json > met.json

import { readFileSync } from "node:fs";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

type Schemas = components["schemas"];
type Transaction = Schemas["TransactionAnswer"];
type Problem = Schemas["ProblemDocument"];

interface Lineage {
  order: Schemas["OrderRequest"];
  invoice: Schemas["InvoiceRequest"];
  payment: Schemas["PaymentRequest"];
}

interface Given {
  masters: { customers: Schemas["CustomerRequest"][]; products: Schemas["ProductRequest"][] };
  legacy: Lineage;
  cloud: Lineage;
  disagreeing: Schemas["OrderRequest"];
  later: Schemas["OrderRequest"];
  change: Schemas["OrderChange"];
  contract: Schemas["ContractRequest"];
  journalEntry: Schemas["JournalEntryRequest"];
  creditNote: Schemas["InvoiceRequest"];
}

interface Answer {
  data?: Transaction;
  error?: Problem;
  response: Response;
}

const met: Record<string, unknown[]> = {};

function accepted({ data, error }: Answer): Transaction {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

function refused({ error, response }: Answer): unknown[] {
  if (error === undefined) throw new Error("it was accepted");
  if (error.status !== response.status || error.remedy === "") throw new Error(JSON.stringify(error));
  return [error.status, error.code];
}

function there<T>({ data, error }: { data?: T; error?: unknown }): T {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

class Journey {
  private readonly sales: Client<paths>;
  private readonly billing: Client<paths>;
  private readonly stranger: Client<paths>;
  private order!: Transaction;
  private payment!: Transaction;

  constructor(address: string, salesToken: string, billingToken: string, private readonly given: Given) {
    const as = (token: string) =>
      createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${token}` } });
    [this.sales, this.billing, this.stranger] = [as(salesToken), as(billingToken), as("none")];
  }

  async run(): Promise<void> {
    await this.masters();
    await this.lineage("legacy", this.given.legacy);
    await this.lineage("cloud", this.given.cloud);
    await this.refusals();
    await this.changes();
    await this.undoings();
    await this.readings();
    await this.waiting();
  }

  private async masters(): Promise<void> {
    const statuses = new Set<string>();
    for (const body of this.given.masters.customers)
      statuses.add(accepted(await this.sales.POST("/v1/customers", { body })).status);
    for (const body of this.given.masters.products)
      statuses.add(accepted(await this.sales.POST("/v1/products", { body })).status);
    met["masters"] = [...statuses].sort();
  }

  private async lineage(side: string, lineage: Lineage): Promise<void> {
    const answers: Record<string, Answer> = {};
    answers["order"] = await this.sales.POST("/v1/orders", { body: lineage.order });
    answers["invoice"] = await this.billing.POST("/v1/invoices", { body: lineage.invoice });
    answers["payment"] = await this.billing.POST("/v1/payments", { body: lineage.payment });
    for (const [name, answer] of Object.entries(answers)) {
      const found = accepted(answer);
      met[`${side} ${name}`] = [answer.response.status, found.status, found.routedTo?.systemId];
    }
    this.order = accepted(answers["order"]);
    this.payment = accepted(answers["payment"]);
  }

  private submit(body: Schemas["OrderRequest"], client = this.sales): Promise<Answer> {
    return client.POST("/v1/orders", { body });
  }

  private async refusals(): Promise<void> {
    const { order } = this.given.cloud;
    const again = await this.submit(order);
    const found = accepted(again);
    const same = found.transactionId === this.order.transactionId ? "the same transaction" : "another transaction";
    const replayed = found.replayed ? "replayed" : "not replayed";
    met["the same request again"] = [again.response.status, found.status, replayed, same];

    const other = { ...order, postingDate: "1996-07-06" };
    met["the key of another request"] = refused(await this.submit(other));
    const otherKey = { ...other, idempotencyKey: `${order.idempotencyKey}-2` };
    met["the external id of another document"] = refused(await this.submit(otherKey));

    const wrong = await this.submit(this.given.disagreeing);
    met["sums that disagree"] = [...refused(wrong), wrong.error?.errors[0]?.field];
    const slug = wrong.error?.code as paths["/problems/{slug}"]["get"]["parameters"]["path"]["slug"];
    const meaning = there(await this.sales.GET("/problems/{slug}", { params: { path: { slug } } }));
    met["what a problem means"] = [meaning.status, meaning.code];
    met["an unknown caller"] = refused(await this.submit(order, this.stranger));
  }

  private async readOrder(documentId: string): Promise<Schemas["OrderAnswer"]> {
    return there(await this.sales.GET("/v1/orders/{documentId}", { params: { path: { documentId } } }));
  }

  private async changes(): Promise<void> {
    const { documentId } = accepted(await this.submit(this.given.later));
    const params = { path: { documentId } };
    const before = await this.readOrder(documentId);
    met["read"] = [before.contentState, before.status, before.version, before.etag];

    const change: Schemas["OrderChange"] = { ...this.given.change, ifMatch: before.etag };
    const patch = (body: Schemas["OrderChange"]): Promise<Answer> =>
      this.sales.PATCH("/v1/orders/{documentId}", { params, body });
    const answer = await patch(change);
    const after = await this.readOrder(documentId);
    met["changed with the ETag of the body"] = [answer.response.status, accepted(answer).status, after.version];
    const late = { ...change, requestedDeliveryDate: "1996-09-30", idempotencyKey: `${change.idempotencyKey}-2` };
    met["changed with an old ETag"] = refused(await patch(late));

    const body = { reason: "Ordered twice", ifMatch: after.etag, idempotencyKey: documentId };
    const cancelled = await this.sales.POST("/v1/orders/{documentId}/cancel", { params, body });
    const state = (await this.readOrder(documentId)).state;
    met["called off"] = [cancelled.response.status, accepted(cancelled).status, state];
  }

  private async undoings(): Promise<void> {
    const told = (name: string, answer: Answer): Transaction => {
      const found = accepted(answer);
      met[name] = [answer.response.status, found.status];
      return found;
    };
    const reversal = ({ documentId }: Transaction) => ({
      params: { path: { documentId } },
      body: { reason: "Billed twice", idempotencyKey: `${documentId}-reversal` },
    });
    told("contract", await this.sales.POST("/v1/contracts", { body: this.given.contract }));
    const entry = told(
      "journal entry",
      await this.billing.POST("/v1/journal_entries", { body: this.given.journalEntry }),
    );
    told(
      "journal entry reversed",
      await this.billing.POST("/v1/journal_entries/{documentId}/reverse", reversal(entry)),
    );
    told(
      "payment reversed",
      await this.billing.POST("/v1/payments/{documentId}/reverse", reversal(this.payment)),
    );
    told("credit note", await this.billing.POST("/v1/invoices", { body: this.given.creditNote }));
  }

  private async readings(): Promise<void> {
    const listed: (string | null)[] = [];
    let pages = 0;
    for (let cursor: string | null | undefined; cursor !== null; pages += 1) {
      const query = { pageSize: 1, ...(cursor === undefined ? {} : { cursor }) };
      const page: Schemas["DocumentPage"] = there(await this.sales.GET("/v1/orders", { params: { query } }));
      listed.push(...page.items.map((item) => item.externalId));
      cursor = page.nextCursor;
    }
    const wanted = [this.given.legacy.order.externalId, this.given.cloud.order.externalId];
    met["listed by cursor"] = [
      wanted.every((one) => listed.includes(one ?? "")) ? "all orders" : "not all orders",
      new Set(listed).size === listed.length ? "each once" : "some twice",
      pages > 1 ? "several pages" : "one page",
    ];
    const path = { transactionId: this.order.transactionId };
    met["transaction"] = [there(await this.sales.GET("/v1/transactions/{transactionId}", { params: { path } })).status];
    const trace = there(await this.sales.GET("/v1/transactions/{transactionId}/trace", { params: { path } }));
    const kinds = ["accepted", "routed", "dispatched", "posted"];
    met["trace"] = trace.entries.map((one) => one.kind).filter((kind) => kinds.includes(kind));
    const { lineageId } = this.order;
    const lineage = there(await this.sales.GET("/v1/lineages/{lineageId}", { params: { path: { lineageId } } }));
    met["lineage"] = [lineage.documents.length, lineage.pin?.systemId];
    const report = there(await this.sales.GET("/v1/capabilities"));
    met["capabilities"] = report.systems.map((one) => one.systemId).sort();
  }

  private async waiting(): Promise<void> {
    const suffix = (text: string | null | undefined) => `${text}-async`;
    const order = this.given.later;
    const body = { ...order, externalId: suffix(order.externalId), idempotencyKey: suffix(order.idempotencyKey) };
    const answer = await this.sales.POST("/v1/orders", { body, params: { header: { Prefer: "respond-async" } } });
    let found: Transaction = accepted(answer);
    const path = { transactionId: found.transactionId };
    for (let asked = 0; found.status !== "posted" && asked < 60; asked += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1_000 * (found.retryAfterS ?? 1)));
      found = there(await this.sales.GET("/v1/transactions/{transactionId}", { params: { path } }));
    }
    met["asked later"] = [answer.response.status, found.status];
  }
}

const [address, salesToken, billingToken] = process.argv.slice(2);
if (address === undefined || salesToken === undefined || billingToken === undefined) throw new Error("see above");
const given = JSON.parse(readFileSync(0, "utf8")) as Given;
try {
  await new Journey(address, salesToken, billingToken, given).run();
} finally {
  process.stdout.write(JSON.stringify(met));
}
