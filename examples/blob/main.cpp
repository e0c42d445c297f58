// Blob Storage without a password, in C++ with libcurl: upload a blob, read a peer's, compare the bytes.
//
// usage: blob ACCOUNT_URL CONTAINER OWN_BLOB PEER_BLOB

#include <azcred.hpp>
#include <curl/curl.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

const char *const kScope = "https://storage.azure.com/.default";

// What a program of this name writes.
std::string content(const std::string &name) {
  std::size_t start = 0;
  for (const unsigned char byte : name) {
    start += byte;
  }
  std::string bytes(64 * 1024, '\0');
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = static_cast<char>((31 * at + start) % 251);
  }
  return bytes;
}

struct Answer {
  long status = 0;
  std::string body;
};

std::size_t append(char *data, std::size_t size, std::size_t count, void *body) {
  static_cast<std::string *>(body)->append(data, size * count);
  return size * count;
}

// One storage request with a token in its header.
Answer send(const azcred::Credential &credential, const char *method, const std::string &url, const std::string &body,
            const char *extra = nullptr) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  const azcred::Token token = credential.get_token({{kScope}});
  curl_slist *list = curl_slist_append(nullptr, ("Authorization: " + std::string(token.authorization())).c_str());
  list = curl_slist_append(list, "x-ms-version: 2023-11-03");
  list = curl_slist_append(list, "Expect:");
  if (extra != nullptr) {
    list = curl_slist_append(list, extra);
  }
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list, curl_slist_free_all);

  Answer answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, 30000L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  if (std::string(method) == "PUT") {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  }
  if (const char *bundle = std::getenv("CURL_CA_BUNDLE")) {  // As the curl program does.
    curl_easy_setopt(curl.get(), CURLOPT_CAINFO, bundle);
  }
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    throw std::runtime_error(std::string(method) + ": " + curl_easy_strerror(code));
  }
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

void expect(const char *what, const Answer &answer, long status, long other = 0) {
  if (answer.status != status && answer.status != other) {
    throw std::runtime_error(std::string(what) + ": HTTP " + std::to_string(answer.status));
  }
}

void run(const std::string &account, const std::string &container, const std::string &own, const std::string &peer) {
  const azcred::Credential credential("DefaultAzureCredential");
  const std::string base = account + "/" + container;
  expect("container", send(credential, "PUT", base + "?restype=container", ""), 201, 409);
  expect("upload", send(credential, "PUT", base + "/" + own, content(own), "x-ms-blob-type: BlockBlob"), 201);

  Answer read;
  for (int tries = 0; tries < 300; ++tries) {
    read = send(credential, "GET", base + "/" + peer, "");
    if (read.status != 404) {
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // The peer has not written it yet.
  }
  expect("download", read, 200);
  if (read.body != content(peer)) {
    throw std::runtime_error(peer + ": other bytes than " + peer + " wrote");
  }
  const azcred::Token token = credential.get_token({{kScope}});
  std::printf("{\"program\":\"C++\",\"bytes\":%zu,\"credential\":\"%s\",\"source\":\"%s\",\"client_id\":\"%s\"}\n",
              read.body.size(), token.credential().c_str(), token.source().c_str(), token.client_id().c_str());
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s ACCOUNT_URL CONTAINER OWN_BLOB PEER_BLOB\n", argv[0]);
    return 2;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  int status = 0;
  try {
    run(argv[1], argv[2], argv[3], argv[4]);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "blob: %s\n", error.what());
    status = 1;
  }
  curl_global_cleanup();
  return status;
}
