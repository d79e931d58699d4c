#pragma once

#include <span>
#include <string_view>

namespace thalweg::shop {

/// A file of the page, as it was when the program was built.
struct PageFile {
  std::string_view path;  ///< Below the page's own address: "style.css".
  std::string_view content_type;
  std::string_view bytes;
};

std::span<const PageFile> page_files();

}  // namespace thalweg::shop
