#include <array>
#include <cstdio>

#include <thalweg/runtime/http_server.h>

#include "gateway_context.h"
#include "page_files.h"

namespace thalweg::shop {
namespace {

/// Everything comes from here, and nothing else may be asked: not even by what a customer wrote.
constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// 64 bits of FNV-1a: tells versions of a file apart, and need not withstand anybody.
std::string entity_tag(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  std::array<char, 20> text;
  std::snprintf(text.data(), text.size(), "\"%016llx\"", static_cast<unsigned long long>(hash));
  return text.data();
}

/// Browsers ask each time, and are told when theirs is the newest: after an update of the program
/// nobody looks at half a page.
HttpServer::Handler serve(const PageFile& file) {
  return [file, tag = entity_tag(file.bytes)](HttpRequest& request, Responder responder) {
    HttpResponse response{.content_type = std::string(file.content_type)};
    response.headers = {{"ETag", tag},
                        {"Cache-Control", "no-cache"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Content-Security-Policy", kContentSecurityPolicy}};
    if (request.header("If-None-Match") == tag) {
      response.status = 304;
    } else {
      response.body = file.bytes;
    }
    responder.send(std::move(response));
  };
}

/// What the page has to know before it asks for anything else.
HttpResponse settings_of(const GatewayContext& context) {
  HttpResponse response;
  JsonWriter(response.body)
      .boolean("development", context.is_development())
      .boolean("operatorToken", context.asks_operators_for_a_token())
      .end();
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace

void add_page_routes(const ContextPtr& context) {
  HttpServer& server = context->server();
  for (const PageFile& file : page_files()) {
    const bool first = file.path == "index.html";
    const std::string path = first ? "/" : "/page/" + std::string(file.path);
    // Links to a page carry what others have hung onto them.
    server.route("GET", path + "?*", serve(file), kForCustomers);
  }
  server.route(
      "GET", "/page/settings",
      [context](HttpRequest&, Responder responder) { responder.send(settings_of(*context)); },
      kForCustomers);
}

}  // namespace thalweg::shop
