#include "checker/report/sarif_uri.h"

#include <fmt/format.h>

namespace cowvet {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/").contains(c);
}

}  // namespace

std::string file_uri(std::string_view path) {
  std::string uri = path.starts_with('/') ? "file://" : "";
  if (path.starts_with("//")) path.remove_prefix(path.find_first_not_of('/') - 1);
  for (const char c : path) {
    if (is_unreserved(c)) {
      uri += c;
    } else {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return uri;
}

std::string uri_of(const Report& report, File file) {
  switch (file) {
    case File::image:
      return file_uri(report.image_name);
    case File::data_file:
      return file_uri(report.data_file_path.empty() ? report.data_file_name : report.data_file_path);
    case File::backing_file:
      return file_uri(report.backing_name);
  }
  return "";
}

}  // namespace cowvet
