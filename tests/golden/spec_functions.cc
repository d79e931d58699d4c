#include "golden/spec_functions.h"

#include <algorithm>
#include <limits>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace thalweg::golden {

namespace json = boost::json;

std::int64_t wrap_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t wrap_mul(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
std::int64_t floor_mod(std::int64_t a, std::int64_t b) {
  if (b == 0) throw ArithmeticError("/ by zero");
  if (b == -1) return 0;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  if (b == 0) throw ArithmeticError("/ by zero");
  if (b == -1) return wrap_mul(a, -1);
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}
std::int64_t mix(std::int64_t a, std::int64_t b) { return wrap_add(wrap_mul(a, 1'000'003), b); }

std::int64_t key_hash(const Key& key) {
  if (key.is_null()) return 0;
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : key.text()) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return static_cast<std::int64_t>(hash);
}

const json::value* field(const json::value& object, const char* name) {
  const auto* found = object.as_object().if_contains(name);
  return found && !found->is_null() ? found : nullptr;
}
const json::value& need(const json::value& object, const char* name) {
  if (const auto* found = field(object, name)) return *found;
  throw SpecError(std::string("field missing: ") + name);
}
std::string text_or(const json::value& object, const char* name, std::string otherwise) {
  const auto* found = field(object, name);
  return found ? std::string(found->as_string()) : std::move(otherwise);
}
std::int64_t number_or(const json::value& object, const char* name, std::int64_t otherwise) {
  const auto* found = field(object, name);
  return found ? found->to_number<std::int64_t>() : otherwise;
}
std::int64_t need_number(const json::value& object, const char* name) {
  if (!field(object, name)) throw MissingField(name);
  return number_or(object, name, 0);
}

bool flag_or(const json::value& object, const char* name, bool otherwise) {
  const auto* found = field(object, name);
  return found ? found->as_bool() : otherwise;
}

namespace {

constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

std::int64_t number(const json::value& spec, const char* name) {
  return need(spec, name).to_number<std::int64_t>();
}
[[noreturn]] void unknown(const char* kind, const std::string& name) {
  throw SpecError(std::string("unknown ") + kind + " " + name);
}
/// Whether v is r modulo m.
bool congruent(const Value& v, std::int64_t m, std::int64_t r) {
  return v && floor_mod(*v, m) == r;
}
Key numbered_key(std::int64_t n) { return Key("k" + std::to_string(n)); }
Value null_if(std::int64_t x, std::int64_t m, std::int64_t r) {
  return floor_mod(x, m) == r ? Value() : Value(x);
}

}  // namespace

Predicate predicate(const json::value& spec) {
  const std::string name = text_or(spec, "fn");
  if (name == "all") return [](const Key&, const Value&) { return true; };
  if (name == "none") return [](const Key&, const Value&) { return false; };
  if (name == "valNotNull") return [](const Key&, const Value& v) { return v.has_value(); };
  if (name == "keyNotNull") return [](const Key& k, const Value&) { return !k.is_null(); };
  if (name == "valGt") {
    return [c = number(spec, "c")](const Key&, const Value& v) { return v && *v > c; };
  }
  const std::int64_t m = number(spec, "m");
  const std::int64_t r = number(spec, "r");
  if (name == "valMod") return [m, r](const Key&, const Value& v) { return congruent(v, m, r); };
  if (name == "keyMod") {
    return [m, r](const Key& k, const Value&) { return floor_mod(key_hash(k), m) == r; };
  }
  if (name == "throwMod") {
    return [m, r](const Key&, const Value& v) {
      if (congruent(v, m, r)) throw std::domain_error("throwMod");
      return true;
    };
  }
  unknown("predicate", name);
}

KeyFunction key_function(const json::value& spec) {
  const std::string name = text_or(spec, "fn");
  if (name == "key" || name == "innerKey") return [](const Key& k, const Value&) { return k; };
  if (name == "null") return [](const Key&, const Value&) { return Key(); };
  if (name == "const") {
    return [s = text_or(spec, "s")](const Key&, const Value&) { return Key(s); };
  }
  if (name == "prefix") {
    return [s = text_or(spec, "s")](const Key& k, const Value&) {
      return Key(s + (k.is_null() ? "null" : k.text()));
    };
  }
  if (name == "valDiv") {
    return [d = number(spec, "d")](const Key&, const Value& v) {
      return v ? numbered_key(floor_div(*v, d)) : Key();
    };
  }
  const std::int64_t m = number(spec, "m");
  if (name == "valMod") {
    return [m](const Key&, const Value& v) { return v ? numbered_key(floor_mod(*v, m)) : Key(); };
  }
  if (name == "keyMod") {
    return [m](const Key& k, const Value&) { return numbered_key(floor_mod(key_hash(k), m)); };
  }
  if (name == "nullIf") {
    return [m, r = number(spec, "r")](const Key& k, const Value& v) {
      return congruent(v, m, r) ? Key() : k;
    };
  }
  unknown("key selector", name);
}

ValueFunction value_function(const json::value& spec) {
  const std::string name = text_or(spec, "fn");
  const auto on_value = [](auto f) {
    return [f](const Key&, const Value& v) { return v ? Value(f(*v)) : Value(); };
  };
  if (name == "id") return [](const Key&, const Value& v) { return v; };
  if (name == "null") return [](const Key&, const Value&) { return Value(); };
  if (name == "neg") return on_value([](std::int64_t v) { return wrap_mul(v, -1); });
  if (name == "add" || name == "mul" || name == "const" || name == "orElse") {
    const std::int64_t c = number(spec, "c");
    if (name == "add") return on_value([c](std::int64_t v) { return wrap_add(v, c); });
    if (name == "mul") return on_value([c](std::int64_t v) { return wrap_mul(v, c); });
    if (name == "const") return [c](const Key&, const Value&) { return Value(c); };
    return [c](const Key&, const Value& v) { return v ? v : Value(c); };
  }
  const std::int64_t m = number(spec, "m");
  if (name == "mod") return on_value([m](std::int64_t v) { return floor_mod(v, m); });
  if (name == "addKeyMod") {
    return [m](const Key& k, const Value& v) {
      return v ? Value(wrap_add(*v, floor_mod(key_hash(k), m))) : Value();
    };
  }
  const std::int64_t r = number(spec, "r");
  if (name == "nullIf") {
    return [m, r](const Key&, const Value& v) { return congruent(v, m, r) ? Value() : v; };
  }
  if (name == "throwMod") {
    return [m, r](const Key&, const Value& v) {
      if (congruent(v, m, r)) throw std::domain_error("throwMod");
      return v;
    };
  }
  unknown("value mapper", name);
}

Joiner joiner(const json::value& spec) {
  const std::string name = text_or(spec, "fn");
  const auto pair = [](const Value& l, const Value& r) {
    return mix(l.value_or(-1), r.value_or(-1));
  };
  const auto sum = [](const Value& l, const Value& r) {
    return wrap_add(l.value_or(0), r.value_or(0));
  };
  if (name == "pair") {
    return [pair](const Key&, const Value& l, const Value& r) { return Value(pair(l, r)); };
  }
  if (name == "sum") {
    return [sum](const Key&, const Value& l, const Value& r) { return Value(sum(l, r)); };
  }
  if (name == "left") return [](const Key&, const Value& l, const Value&) { return l; };
  if (name == "right") return [](const Key&, const Value&, const Value& r) { return r; };
  if (name == "nullIf") {
    return [sum, m = number(spec, "m"), rest = number(spec, "r")](
               const Key&, const Value& l, const Value& r) { return null_if(sum(l, r), m, rest); };
  }
  if (name == "pairKey") {
    return [pair](const Key& k, const Value& l, const Value& r) {
      return Value(mix(pair(l, r), floor_mod(key_hash(k), 1000)));
    };
  }
  unknown("joiner", name);
}

Aggregator aggregator(const json::value& spec) {
  const std::string name = text_or(spec, "fn");
  const auto over = [](auto f) {
    return [f](const Key&, const Value& v, const Value& a) {
      return Value(f(a.value_or(0), v.value_or(0)));
    };
  };
  const auto sum = [](std::int64_t a, std::int64_t v) { return wrap_add(a, v); };
  const auto difference = [](std::int64_t a, std::int64_t v) {
    return wrap_add(a, wrap_mul(v, -1));
  };
  if (name == "sum") return over(sum);
  if (name == "sub") return over(difference);
  if (name == "count") return over([](std::int64_t a, std::int64_t) { return wrap_add(a, 1); });
  if (name == "uncount") return over([](std::int64_t a, std::int64_t) { return wrap_add(a, -1); });
  if (name == "last") return [](const Key&, const Value& v, const Value&) { return v; };
  if (name == "keep") return [](const Key&, const Value&, const Value& a) { return a; };
  if (name == "hash") {
    return [](const Key&, const Value& v, const Value& a) {
      return Value(wrap_add(wrap_mul(a.value_or(7), 31), v.value_or(-1)));
    };
  }
  if (name == "max") {
    return [](const Key&, const Value& v, const Value& a) {
      return Value(std::max(a.value_or(kLeast), v.value_or(kLeast)));
    };
  }
  if (name == "sumKey") {
    return [](const Key& k, const Value& v, const Value& a) {
      return Value(wrap_add(wrap_add(a.value_or(0), v.value_or(0)), floor_mod(key_hash(k), 7)));
    };
  }
  const std::int64_t m = number(spec, "m");
  const std::int64_t r = number(spec, "r");
  const auto null_over = [m, r](auto f) {
    return [m, r, f](const Key&, const Value& v, const Value& a) {
      return null_if(f(a.value_or(0), v.value_or(0)), m, r);
    };
  };
  if (name == "sumNullIf") return null_over(sum);
  if (name == "subNullIf") return null_over(difference);
  unknown("aggregator", name);
}

Reducer reducer(const json::value& spec) {
  const std::string name = text_or(spec, "fn");
  const auto sum = [](const Value& a, const Value& b) {
    return wrap_add(a.value_or(0), b.value_or(0));
  };
  if (name == "sum") return [sum](const Value& a, const Value& b) { return Value(sum(a, b)); };
  if (name == "sub") {
    return [](const Value& a, const Value& b) {
      return Value(wrap_add(a.value_or(0), wrap_mul(b.value_or(0), -1)));
    };
  }
  if (name == "max") {
    return [](const Value& a, const Value& b) {
      return Value(std::max(a.value_or(kLeast), b.value_or(kLeast)));
    };
  }
  if (name == "min") {
    return [](const Value& a, const Value& b) {
      return Value(std::min(a.value_or(kMost), b.value_or(kMost)));
    };
  }
  if (name == "last") return [](const Value&, const Value& b) { return b; };
  if (name == "first") return [](const Value& a, const Value&) { return a; };
  if (name == "hash") {
    return [](const Value& a, const Value& b) {
      return Value(wrap_add(wrap_mul(a.value_or(7), 31), b.value_or(-1)));
    };
  }
  if (name == "sumNullIf") {
    return [sum, m = number(spec, "m"), r = number(spec, "r")](const Value& a, const Value& b) {
      return null_if(sum(a, b), m, r);
    };
  }
  unknown("reducer", name);
}

}  // namespace thalweg::golden
