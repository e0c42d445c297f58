// Blob Storage without a password, in Node: upload a blob, read a peer's, compare the bytes.
//
// usage: node main.mjs ACCOUNT_URL CONTAINER OWN_BLOB PEER_BLOB
import { setTimeout as sleep } from "node:timers/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { DefaultAzureCredential } from "azcred";

/** What a program of this name writes. */
function content(name) {
  const start = [...Buffer.from(name)].reduce((sum, byte) => sum + byte, 0);
  return Buffer.from(Array.from({ length: 64 * 1024 }, (_, at) => (31 * at + start) % 251));
}

const [url, containerName, own, peer] = process.argv.slice(2);
const credential = new DefaultAzureCredential();
const container = new BlobServiceClient(url, credential).getContainerClient(containerName);
await container.createIfNotExists();
await container.getBlockBlobClient(own).upload(content(own), content(own).length);

let read = Buffer.alloc(0);
for (let tries = 0; tries < 300; tries += 1) {
  try {
    read = await container.getBlobClient(peer).downloadToBuffer();
    break;
  } catch (error) {
    if (error.statusCode !== 404) throw error;
    await sleep(100); // The peer has not written it yet.
  }
}
if (!read.equals(content(peer))) {
  throw new Error(`${peer}: expected ${content(peer).length} bytes of ${peer}, read ${read.length} others`);
}
const { provenance } = await credential.getToken("https://storage.azure.com/.default");
console.log(
  JSON.stringify({
    program: "Node",
    bytes: read.length,
    credential: provenance.credential,
    source: provenance.source,
    client_id: provenance.clientId,
  }),
);
