#include <string>

#include <fmt/format.h>

#include "config/config_keys.h"

namespace thalweg::internal {
namespace {

constexpr std::string_view kHead = R"(# Configuration

This page is made from the table of keys in `runtime/config/config_keys.cc`; a test compares the
two.

Settings come from a TOML file, from the environment and from flags; where a key is set more than
once, the flag wins over the environment and the environment over the file.

- **File.** `num.stream.threads = 3`, or with a table: `[num.stream]` and `threads = 3`. A list is
  written `["a", "b"]` or `"a,b"`.
- **Environment.** `THALWEG_NUM_STREAM_THREADS=3`: the key in capitals, with `_` for each dot. An
  empty variable counts as not set. `KAFKA_BROKERS` stands for `bootstrap.servers` and
  `KAFKA_CLIENT_ID` for `client.id`.
- **Flags.** An application chooses its own, such as `--set num.stream.threads=3`.

Keys are those of Kafka Streams where it has them. An unknown key is an error that names the
nearest known one and the place where it was set; so is a key that Kafka Streams knows and that
would have no effect here (`docs/decisions/0005-configuration-keys.md`). A value that is not
allowed is an error that names the key, the value, the place and what is allowed.

## Keys

)";

constexpr std::string_view kTail = R"(
## Keys that depend on each other

- `commit.interval.min.ms` is not above `commit.interval.ms`.
- With `exactly_once_v2`, `commit.interval.ms` and `producer.delivery.timeout.ms` (if set) are not
  above `transaction.timeout.ms`: a transaction must end within its timeout.
- A handler set to `dead-letter` needs `errors.dead.letter.queue.topic.name`.

## Keys for Kafka's clients

Keys that begin with `consumer.`, `main.consumer.`, `restore.consumer.`, `producer.`, `admin.` or
`topic.` are passed to Kafka's clients (librdkafka, with Java's names of common properties) or to
the topics that are made, and have no effect on the embedded log. `consumer.` is for all consumers,
`main.consumer.` for the member of the group, which shares out tasks and reads nothing,
`restore.consumer.` for whatever reads. `security.protocol`, `sasl.*`, `ssl.*` and the times and
sizes of connections need no prefix: they are for all clients. `consumer.group.instance.id` makes
each worker a static member.

A record waits up to `producer.linger.ms` (20, unless set) for others to be sent with it, but only
while its worker has more to process: a commit sends everything, and so does, with
`at_least_once`, a worker that has nothing to do.

What the runtime itself must decide is refused: `group.id`, `transactional.id`,
`transaction.timeout.ms`, `bootstrap.servers` and `client.id` under a prefix, and any other value
than `false` for `enable.auto.commit`, `true` for `enable.idempotence` and `read_committed` for
`isolation.level`. Taken, so that files can be carried over, but without effect: `acks` (all),
`partitioner` (murmur2, as Java's) and `auto.offset.reset` (`Consumed::auto_offset_reset`), which
the runtime decides too, and `max.poll.records`, `max.block.ms` and `buffer.memory`, which
librdkafka does not have.

## Secrets

Values of keys that contain `password`, `secret`, `token`, `jaas`, `credential` or `ssl.key`
appear in no message and no listing.
)";

}  // namespace

std::string configuration_page() {
  std::string page(kHead);
  for (const auto& key : StreamsConfigBuilder::keys()) {
    page += fmt::format("### `{}`\n\n{}\n\n- Default: {}\n- Allowed: {}\n\n", key.name,
                        key.description, key.default_value, find_row(key.name)->allowed);
  }
  page.pop_back();
  page += kTail;
  return page;
}

}  // namespace thalweg::internal
