// Brings files to one side of a set of changes: all new, or all old. The header of a version 3 image carries
// the corrupt mark from before the first write until unmark().
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "repair/changes.h"

namespace cowvet {

// True once the user wants to stop; asked between writes.
using StopRequest = std::function<bool()>;

class Applier {
 public:
  Applier(const RepairFiles& files, const Changes& changes) : files_(files), changes_(changes) {}

  // 1. the mark, flushed; 2. the files as long as they must be, and the space allocated; 3. the bytes, one
  // phase after the other, each flushed; 4. the files as short as they must be, flushed; 5. everything read
  // back and compared. May be repeated, and started from any mixture of old and new bytes.
  std::expected<void, std::string> apply(Side side, const StopRequest& stop);

  // Puts the header's mark as `side` has it, flushed. Nothing else may be different from `side`.
  std::expected<void, std::string> unmark(Side side);

  // Whether a flush has failed: then what was written must be written again, whatever reads say.
  bool flush_failed() const { return flush_failed_; }
  // Leave out what is there already; else all is written.
  void skip_what_is_there(bool skip) { skip_ = skip; }

 private:
  using Done = std::expected<void, std::string>;

  Done mark();
  Done grow(Side side);
  Done reserve();
  Done write_phase(Side side, Phase phase, const StopRequest& stop);
  Done write(const Change& change, Side side);
  Done cut(Side side);
  Done flush();
  Done compare(Side side);
  Done resize(File target, std::uint64_t size_bytes);
  Done failed(std::string_view verb, File target, const IoError& error) const;

  const RepairFiles& files_;
  const Changes& changes_;
  bool flush_failed_ = false;
  bool skip_ = false;
};

// The bytes of one side as they lie on disk while the mark is set: what is behind the file's end is cut off.
// The error is a sentence for people.
std::expected<std::vector<std::byte>, std::string> bytes_under_mark(const Changes& changes,
                                                                    const Change& change, Side side);

// How long a file is on one side.
std::uint64_t size_of(const Changes& changes, File target, Side side);

}  // namespace cowvet
