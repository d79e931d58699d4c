#pragma once

#include <cstdint>
#include <exception>
#include <string_view>

#include <thalweg/schemas/error.h>
#include <thalweg/schemas/ids.h>
#include <thalweg/schemas/record.h>

namespace thalweg {

/// What to do with a record that cannot be read, processed or written.
enum class FailureHandling : std::uint8_t {
  kFail,        ///< Stop the task with the reason.
  kContinue,    ///< Log, count, drop.
  kDeadLetter,  ///< To `errors.dead.letter.queue.topic.name`, in the same transaction (KIP-1034).
  /// Abort the transaction and process its input again, as often as it takes (KIP-1065): for
  /// serialisers that may do it later. Only a ProductionExceptionHandler may say so; from others,
  /// and without a worker (in a TopologyTestDriver), it is kFail. What fails on the way to the log
  /// is tried again in any case, without asking.
  kRetry,
};

/// Where something failed.
struct ErrorContext {
  TaskId task;
  std::string_view node = {};  ///< That threw; empty while a record is read.
  RecordMetadata record;       ///< Being processed; of a punctuation there is none.
  /// The same as it was read, with its time, headers and bytes; null in a punctuation and where
  /// what failed may stem from several records. Valid during the call.
  const RecordView* source = nullptr;
};

// Handlers of one's own, to decide case by case where a setting of StreamsConfig would decide once
// and for all. All tasks share one, so it must be thread-safe. What it throws ends the task.

/// Decides about records whose bytes cannot be read.
class DeserializationExceptionHandler {
 public:
  virtual ~DeserializationExceptionHandler() = default;
  virtual FailureHandling handle(const ErrorContext& context, const RecordView& record,
                                 const SerdeError& error) = 0;
};

/// Decides about records for which an operator threw.
class ProcessingExceptionHandler {
 public:
  virtual ~ProcessingExceptionHandler() = default;
  virtual FailureHandling handle(const ErrorContext& context, const std::exception& error) = 0;
};

/// Decides about results that cannot be written as bytes.
class ProductionExceptionHandler {
 public:
  virtual ~ProductionExceptionHandler() = default;
  virtual FailureHandling handle(const ErrorContext& context, const std::exception& error) = 0;
};

}  // namespace thalweg
