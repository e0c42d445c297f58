// azcred.hpp, used as a C++ program would. It runs where IDENTITY_ENDPOINT and IDENTITY_HEADER name an emulator, and
// TENANT, WORKLOAD and FEDERATED an application of it with its assertion.
#include <azcred.hpp>
#include <cstdio>
#include <cstdlib>

namespace {

void check(bool condition, const char *what) {
  if (!condition) {
    std::fprintf(stderr, "not true: %s\n", what);
    std::exit(1);
  }
}

}  // namespace

int main() {
  const azcred::Credential credential("ManagedIdentityCredential");
  azcred::Token token = credential.get_token({{"https://cpp.example/.default"}});
  check(token.source() == "app_service", "the source");
  check(token.authorization() == "Bearer " + std::string(token.secret()), "the header");
  check(token.expires_on() > std::chrono::system_clock::now(), "it lives");
  check(token.tenant_id().empty(), "no tenant");

  check(credential.statistics().misses == 1 && credential.statistics().flights == 1, "what happened");
  check(credential.reject(token) && !credential.reject(token), "a refusal, once");
  azcred::Token other = credential.get_token({{"https://cpp.example/.default"}});
  check(other.secret() != token.secret(), "another token");
  token = std::move(other);

  const azcred::Credential environment("EnvironmentCredential");
  const azcred::Credential chain = azcred::Credential::chain({&environment, &credential});
  check(chain.get_token({{"https://cpp.example/.default"}}).credential() == credential.name(), "the chain goes on");

  const auto provider =
      azcred::bearer_token_provider(azcred::Credential("ManagedIdentityCredential"), "https://cpp.example/.default");
  const auto copy = provider;
  check(provider() == token.secret() && copy() == token.secret(), "the provider's text");
  try {
    azcred::bearer_token_provider(azcred::Credential("VisualStudioCodeCredential"), "https://cpp.example/.default")();
    check(false, "an unavailable provider is an exception");
  } catch (const azcred::Error &error) {
    check(error.status() == AZCRED_UNAVAILABLE, "the provider's error");
  }

  try {
    azcred::Credential("DefaultAzureCredential", azcred::Options().set("exclude_cli_credential", "yes"));
    check(false, "a wrong type is an exception");
  } catch (const azcred::Error &error) {
    check(error.status() == AZCRED_INVALID_CONFIGURATION, "its status");
  }
  try {
    azcred::Credential::chain({&environment}).get_token({{"https://cpp.example/.default"}});
    check(false, "an unavailable chain is an exception");
  } catch (const azcred::Error &error) {
    check(error.status() == AZCRED_UNAVAILABLE && error.attempts().size() == 1, "its attempts");
    check(error.attempts().front().credential == "EnvironmentCredential", "its member");
  }
  try {
    azcred::Options().set("client_secret", std::string("a\0b", 3));
    check(false, "a text that C would cut is an exception");
  } catch (const std::invalid_argument &) {
  }
  azcred::Options().set("process_timeout", 7).set("process_timeout", 7.5).set("exclude_cli_credential", true);

  azcred::Options options;
  options.set("tenant_id", std::getenv("TENANT")).set("client_id", std::getenv("WORKLOAD"));
  const auto by = [&](azcred::Function function) {
    return azcred::Credential("ClientAssertionCredential", options.set_function("func", std::move(function)));
  };
  const std::string assertion = std::getenv("FEDERATED");
  const azcred::Credential application = by([assertion](const azcred::Call &) { return assertion; });
  check(application.get_token({{"https://cpp.example/.default"}}).source() == "entra", "an assertion by function");
  try {
    by([](const azcred::Call &call) -> std::string {
      throw std::runtime_error("no key" + call.text("none"));
    }).get_token({{"https://cpp.example/.default"}});
    check(false, "a function that throws is an exception");
  } catch (const azcred::Error &error) {
    check(std::string(error.what()).find("no key") != std::string::npos, "what it threw");
    check(error.claims().empty(), "no claims");
  }
  try {
    application.authenticate();
    check(false, "an application has no user");
  } catch (const azcred::Error &error) {
    check(error.status() == AZCRED_INVALID_ARGUMENT, "that is the caller's mistake");
  }
  const char bytes[] = {0, 1};
  azcred::Options().set_bytes("password", bytes, sizeof bytes);

  const azcred::Cancel cancel;
  cancel.trigger();
  azcred::TokenRequest request{{"https://cpp-cancelled.example/.default"}};
  request.cancel = &cancel;
  try {
    credential.get_token(request);
    check(false, "a cancelled wait is an exception");
  } catch (const azcred::Error &error) {
    check(error.status() == AZCRED_CANCELLED, "cancelled");
  }
  return 0;
}
