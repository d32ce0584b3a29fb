// What a transaction is going to do, byte for byte: a plan without its reasons.
//
// Changes are made of whole blocks of 4096 bytes (the last one of a file may be shorter), because that is
// what storage writes at once: when the machine goes down in the middle of a write, all of a block may be
// lost, and the journal must know all of it. No two changes overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "checker/planning/plan.h"
#include "repair/writable_device.h"

namespace cowvet {

inline constexpr std::uint64_t kBlockBytes = 4096;
inline constexpr std::uint64_t kMostChangeBytes = std::uint64_t{1} << 20;

struct Change {
  File target = File::image;
  Phase phase = Phase::pointers;
  std::uint64_t offset = 0;          // a multiple of kBlockBytes
  std::vector<std::byte> old_bytes;  // zeros behind the old end of the file
  std::vector<std::byte> new_bytes;  // as many; zeros behind the new end
  bool operator==(const Change&) const = default;
};

// One of the files that change, and how to know it again.
struct ChangedFile {
  std::string path;                      // absolute, where it is a file
  std::optional<FileIdentity> identity;  // none: not a file
  std::uint64_t old_size_bytes = 0;
  std::uint64_t new_size_bytes = 0;
  std::uint64_t bound_hash = 0;  // see hash_unchanged
  bool operator==(const ChangedFile&) const = default;
};

struct Changes {
  ChangedFile image;
  std::optional<ChangedFile> data_file;
  std::vector<Change> changes;  // by target, then by offset
  std::string note;             // the caller's, given back to its check: what is expected to remain
  bool operator==(const Changes&) const = default;
};

// The devices under repair.
struct RepairFiles {
  WritableDevice& image;
  WritableDevice* data_file = nullptr;

  WritableDevice& of(File target) const { return target == File::image ? image : *data_file; }
};

// Turns a plan into changes. Refuses, with a sentence for people, a plan that is not sound in itself, or was
// made for another image, or for another state of it: every write's old bytes must be there, once the writes
// before it took effect.
std::expected<Changes, std::string> make_changes(const Plan& plan, const RepairFiles& files,
                                                 std::string note);

// What takes the image back.
Changes reverse(Changes changes);

// XXH3 of the first 64 KiB of a file without what `changes` changes: the same before, after and in between.
std::expected<std::uint64_t, IoError> hash_unchanged(const Device& device, File target,
                                                     const std::vector<Change>& changes,
                                                     std::uint64_t size_bytes);

// "read IMAGE at 0x1000: Input/output error"
std::string describe_io_error(std::string_view verb, const std::string& name, const IoError& error);

}  // namespace cowvet
