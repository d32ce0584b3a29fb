// What a host lets boot, beyond an image's being sound. The built-in policy `preboot` allows nothing that
// makes QEMU open a second file or trust anything but this image; a policy file starts from there and relaxes
// it.
//
// The format of a policy file is described in cowvet-policy(5), which is packaging/pages/cowvet-policy.5.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace cowvet {

struct Policy {
  std::vector<std::string> backing_directories;    // empty: no backing file is allowed
  std::vector<std::string> data_file_directories;  // empty: no data file is allowed
  bool snapshots = false;
  bool dirty = false;
  bool luks = false;
  bool partition_table = true;
  std::uint64_t virtual_bytes = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t file_bytes = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t backing_files = 100;
};

// The error names the line.
std::expected<Policy, std::string> parse_policy(std::string_view text);

// `name`: "preboot", or the path of a policy file.
std::expected<Policy, std::string> load_policy(const std::string& name);

}  // namespace cowvet
