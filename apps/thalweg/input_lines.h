#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace thalweg::cli {

/// The lines of standard input. Who types them, or pipes them in slowly, is not made to wait for
/// those to come: `before_waiting` is called whenever no more is at hand.
class InputLines {
 public:
  explicit InputLines(std::function<void()> before_waiting)
      : before_waiting_(std::move(before_waiting)) {}

  /// The next line, without its end; false when there is none. Throws CommandError when standard
  /// input cannot be read.
  bool next(std::string& line);
  /// Of the line that next() gave last, from 1.
  std::size_t number() const { return number_; }

 private:
  bool read_more();

  std::function<void()> before_waiting_;
  std::string read_;
  std::size_t begin_ = 0;  ///< In `read_`, of the next line.
  std::size_t number_ = 0;
};

}  // namespace thalweg::cli
