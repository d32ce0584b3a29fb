// A MemoryImage whose guest clusters tests map one by one, and the same as a data file image.
#pragma once

#include <algorithm>
#include <string>

#include "checker/format/entries.h"
#include "tests/support/memory_image.h"

namespace cowvet {

// L1 table of 4 entries in cluster 3, L2 tables where tests put them. 4 KiB clusters: 512 entries, 2 MiB a
// table.
struct MappedImage : MemoryImage {
  static constexpr std::uint64_t kL1Offset = 3 * kClusterBytes;
  static constexpr std::uint64_t kFirstL2 = 4 * kClusterBytes;
  static constexpr std::uint64_t kWindowBytes = 512 * kClusterBytes;

  explicit MappedImage(std::uint64_t disk_bytes = kWindowBytes) {
    header.size = disk_bytes;
    header.l1_size =
        static_cast<std::uint32_t>(std::max<std::uint64_t>(1, divide_up(disk_bytes, kWindowBytes)));
    set_l1(0, kFirstL2 | kCopied);
    put(kFirstL2 + kClusterBytes - 8, std::uint64_t{0});
  }

  void use_data_file(bool raw = false) {
    header.incompatible_features |= kIncompatibleDataFile;
    if (raw) header.autoclear_features |= kAutoclearRawData;
  }

  void set_l1(std::uint64_t index, std::uint64_t entry) { put(kL1Offset + index * 8, entry); }
  // Entry of the first L2 table.
  void map(std::uint64_t index, std::uint64_t entry) { put(kFirstL2 + index * 8, entry); }
};

}  // namespace cowvet
