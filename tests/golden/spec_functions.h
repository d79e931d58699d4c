#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include <boost/json/value.hpp>

#include "golden/spec_values.h"

namespace thalweg::golden {

/// A spec that is malformed, or uses what this interpreter does not know.
class SpecError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A statement or option that the DSL does not have yet.
class NotBuilt : public SpecError {
 public:
  explicit NotBuilt(const std::string& what) : SpecError("not built: " + what) {}
};

/// A statement lacks what its call needs: the interpreter in Java runs into a null there.
class MissingField : public std::logic_error {
 public:
  explicit MissingField(const char* name) : std::logic_error(std::string(name) + " is missing") {}
};

/// What a function of a spec fails with when it divides by zero.
class ArithmeticError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// The function library of the spec language, built from its JSON form. All arithmetic wraps.

using Predicate = std::function<bool(const Key&, const Value&)>;
using KeyFunction = std::function<Key(const Key&, const Value&)>;
using ValueFunction = std::function<Value(const Key&, const Value&)>;
using Joiner = std::function<Value(const Key&, const Value&, const Value&)>;
using Aggregator = std::function<Value(const Key&, const Value&, const Value&)>;
using Reducer = std::function<Value(const Value&, const Value&)>;

Predicate predicate(const boost::json::value& spec);
KeyFunction key_function(const boost::json::value& spec);
ValueFunction value_function(const boost::json::value& spec);
Joiner joiner(const boost::json::value& spec);
Aggregator aggregator(const boost::json::value& spec);
Reducer reducer(const boost::json::value& spec);

std::int64_t floor_mod(std::int64_t a, std::int64_t b);
std::int64_t floor_div(std::int64_t a, std::int64_t b);
std::int64_t wrap_add(std::int64_t a, std::int64_t b);
std::int64_t wrap_mul(std::int64_t a, std::int64_t b);
std::int64_t mix(std::int64_t a, std::int64_t b);
/// FNV-1a of the key's text, 0 for null.
std::int64_t key_hash(const Key& key);

// Fields of a statement; an absent field and null mean the same.

const boost::json::value* field(const boost::json::value& object, const char* name);
const boost::json::value& need(const boost::json::value& object, const char* name);
std::string text_or(const boost::json::value& object, const char* name, std::string otherwise = {});
std::int64_t number_or(const boost::json::value& object, const char* name, std::int64_t otherwise);
std::int64_t need_number(const boost::json::value& object, const char* name);
bool flag_or(const boost::json::value& object, const char* name, bool otherwise);

}  // namespace thalweg::golden
