#pragma once

#include <string>

#include <thalweg/schemas/serde.h>

/// Declares how one of the shop's own records becomes the FlatBuffers table of its name, and back;
/// for use outside of all namespaces, below the record.
#define THALWEG_SHOP_SERDE(type)                                      \
  template <>                                                         \
  struct thalweg::Serde<thalweg::shop::type> {                        \
    static void serialize(const shop::type& value, std::string& out); \
    static void deserialize(BytesView bytes, shop::type& out);        \
    static SchemaPtr schema();                                        \
  }
