#include <thalweg/topology/streams_builder.h>

namespace thalweg::internal {

ForeignKeyJoinNames::ForeignKeyJoinNames(StreamGraph& graph, const std::string& given) {
  constexpr std::string_view kRegistration = "KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-";
  constexpr std::string_view kProcessor = "KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-";
  constexpr std::string_view kSink = "KTABLE-SINK-";
  constexpr std::string_view kSource = "KTABLE-SOURCE-";
  if (!given.empty()) check_name(given);
  const auto next = [&](std::string_view suffix, std::string_view prefix) {
    return graph.name_or_new(given, suffix, prefix);
  };
  subscription_topic = next("-subscription-registration", kRegistration) + "-topic";
  send = next("-subscription-registration-processor", kRegistration);
  subscription_sink = next("-subscription-registration-sink", kSink);
  subscription_source = next("-subscription-registration-source", kSource);
  subscription_store =
      next("-subscription-store", "KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-");
  receive = next("-subscription-receive", kProcessor);
  join = next("-subscription-join-foreign", kProcessor);
  foreign_join = next("-foreign-join-subscription", kProcessor);
  response_topic =
      next("-subscription-response", "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-") + "-topic";
  response_sink = next("-subscription-response-sink", kSink);
  response_source = next("-subscription-response-source", kSource);
  response_join = next("-subscription-response-resolver",
                       "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-");
  result = next("-result", "KTABLE-FK-JOIN-OUTPUT-");
}

}  // namespace thalweg::internal
