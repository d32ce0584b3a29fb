// What --evidence keeps of a file that was examined: what it was before and after.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "checker/analysis/finding.h"

namespace cowvet {

// Nanoseconds since 1970, as the file system has them.
struct FileTimes {
  std::int64_t accessed = 0;
  std::int64_t modified = 0;
  std::int64_t status_changed = 0;
};

struct FileState {
  std::uint64_t size_bytes = 0;
  std::string sha256;              // hexadecimal; empty: some of it could not be read
  std::optional<FileTimes> times;  // of a file of this machine
};

struct Evidence {
  File file = File::image;
  std::string path;
  FileState before;
  FileState after;

  // By somebody else: nothing here writes. An access time says only that the file was read.
  bool changed() const {
    const auto times_differ = [](const FileTimes& a, const FileTimes& b) {
      return a.modified != b.modified || a.status_changed != b.status_changed;
    };
    return before.size_bytes != after.size_bytes || before.sha256 != after.sha256 ||
           (before.times && after.times && times_differ(*before.times, *after.times));
  }
  bool access_time_changed() const {
    return before.times && after.times && before.times->accessed != after.times->accessed;
  }
};

}  // namespace cowvet
