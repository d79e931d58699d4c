#pragma once

#include <thalweg/topology/async_call.h>
#include <thalweg/topology/async_options.h>
#include <thalweg/topology/internal/map_async_dsl.h>
#include <thalweg/topology/kstream.h>

// Calls to the outside, made by KStream::map_async():
//
//     payments.map_async<Receipt>(
//                 [client](AsyncCall<std::string, Payment, Receipt> call) {
//                   client->post(std::move(call));  // Returns at once; answers later.
//                 },
//                 {.name = "charge", .store = "charges", .max_in_flight = 32, .timeout = 5s})
//         .filter(is_completed)
//         ...
//
// What holds:
//
// - Effects in the log happen exactly once. A record is written to a store, the *outbox*, in the
//   transaction that commits its offset, and leaves it in the one that has what follows from the
//   answer.
// - Calls happen at least once. An attempt starts after the commit that says so has become durable;
//   after a crash, or when the task has moved, those that were under way are made again, with the
//   same number and idempotency key. An attempt that took too long may still arrive, too.
// - Order: records of one key are called for one after the other, in their order; the next one when
//   all attempts of the one before are over. Records without a key, and those of different keys,
//   wait for nobody. Keys are compared within a task: repartition() first if the key has changed.
// - Retries follow a schedule that is kept in the outbox and survives restarts.
// - The topology is never held up: records that have to wait do so in the outbox, which is a store
//   like any other and grows on disk.
// - At a clean close, no new calls start, and those under way are waited for, at most for the
//   timeout; so their answers are not lost.
