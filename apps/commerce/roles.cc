#include "roles.h"

#include <algorithm>
#include <array>

#include "topologies.h"
#include "views_topology.h"

namespace thalweg::shop {
namespace {

constexpr std::chrono::milliseconds kListenersPause{100};
constexpr std::int32_t kFollowersNice = 10;  // A tenth of what a thread of the orders gets.

// Orders and coupons stop. A record is skipped where it failed, and what was done for it until then
// stays done: a reservation of which the saga never hears, a coupon that was counted and that
// nobody holds. That must come out even; the others tell of it, and miss one.
constexpr auto kExact = FailureHandling::kFail;

constexpr std::array kRoles = {
    Role{"gateway", "gateway", nullptr},
    Role{"orders", "order-service", build_orders, Pace::kServes, kExact},
    Role{"coupons", "coupon-request-group", build_coupons, Pace::kServes, kExact},
    Role{"views", "views", build_views, Pace::kListens},
    Role{"ranking", "ranking", build_ranking, Pace::kListens},
    Role{"analytics", "analytics", build_analytics, Pace::kListens},
    Role{"notifications", "notifications", build_notifications, Pace::kListens},
    Role{"choreography", "choreography", build_choreography, Pace::kListens},
    Role{"delivery", "external-platform-redis-group", build_delivery, Pace::kFollows},
};

const Role* role_named(std::string_view name) {
  const auto role = std::ranges::find(kRoles, name, &Role::name);
  return role == kRoles.end() ? nullptr : &*role;
}

}  // namespace

std::span<const Role> all_roles() { return kRoles; }

void set_pace(Pace pace, StreamsConfig& config) {
  if (pace == Pace::kServes) return;
  config.stream_thread_nice = std::max(config.stream_thread_nice, kFollowersNice);
  if (pace == Pace::kFollows) return;
  config.num_stream_threads = 1;
  config.commit_interval_min = std::max(config.commit_interval_min, kListenersPause);
  config.commit_interval = std::max(config.commit_interval, config.commit_interval_min);
}

void set_handlers(const Role& role, std::optional<FailureHandling> processing,
                  StreamsConfig& config) {
  // What a source cannot read stops nobody.
  config.deserialization_handler = FailureHandling::kDeadLetter;
  config.processing_handler = processing.value_or(role.on_failure);
  config.dead_letter_topic = kDeadLetterTopic;
}

std::string names_of_all_roles() {
  std::string names;
  for (const Role& role : kRoles) {
    if (!names.empty()) names += ',';
    names += role.name;
  }
  return names;
}

std::vector<const Role*> parse_roles(const std::string& names) {
  std::vector<const Role*> roles;
  for (std::size_t begin = 0; begin <= names.size();) {
    const auto end = std::min(names.find(',', begin), names.size());
    const std::string name = names.substr(begin, end - begin);
    const Role* role = role_named(name);
    if (!role) {
      throw ConfigError("--roles: no role \"" + name + "\"; there are " + names_of_all_roles());
    }
    roles.push_back(role);
    begin = end + 1;
  }
  std::ranges::sort(roles);  // They are elements of one array.
  roles.erase(std::ranges::unique(roles).begin(), roles.end());
  return roles;
}

void check_roles(const std::vector<const Role*>& roles, bool is_on_kafka) {
  const auto plays = [&](std::string_view name) {
    return std::ranges::find(roles, role_named(name)) != roles.end();
  };
  if (!is_on_kafka && plays("gateway") && !plays("orders")) {
    throw ConfigError(
        "--roles: gateway reads the state of orders: both run in one process, unless KAFKA_BROKERS "
        "is set");
  }
}

}  // namespace thalweg::shop
