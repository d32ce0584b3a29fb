// What a transaction is going to do, byte for byte: a plan without its reasons.
//
// Changes are made of whole blocks of 4096 bytes (the last one of a file may be shorter), because that is
// what storage writes at once: when the machine goes down in the middle of a write, all of a block may be
// lost, and the journal must know all of it. No two changes overlap.
//
// Changes say where, and ChangeBytes what: as long as there is no journal, the files and the plan; from then
// on the journal. A repair of any size has the bytes of one change in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checker/planning/plan.h"
#include "repair/writable_device.h"

namespace cowvet {

inline constexpr std::uint64_t kBlockBytes = 4096;
inline constexpr std::uint64_t kMostChangeBytes = std::uint64_t{1} << 20;

enum class Side : std::uint8_t { old_bytes, new_bytes };

struct Change {
  File target = File::image;
  Phase phase = Phase::pointers;
  std::uint64_t offset = 0;  // a multiple of kBlockBytes
  std::uint64_t length = 0;  // of the old bytes, and of the new ones; at most kMostChangeBytes
  std::uint64_t place = 0;   // of its bytes, in a journal
  bool operator==(const Change&) const = default;
};

inline bool holds_header(const Change& change) {
  return change.target == File::image && change.offset == 0;
}

// The old and the new bytes of changes.
class ChangeBytes {
 public:
  ChangeBytes() = default;
  ChangeBytes(const ChangeBytes&) = delete;
  ChangeBytes& operator=(const ChangeBytes&) = delete;
  virtual ~ChangeBytes() = default;

  // `out` is as long as the change. Old bytes are zeros behind the old end of the file, new ones behind the
  // new end. The error is a sentence for people.
  virtual std::expected<void, std::string> read(const Change& change, Side side,
                                                std::span<std::byte> out) const = 0;
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
  std::shared_ptr<const ChangeBytes> bytes;  // nullptr: there are no changes

  std::expected<std::vector<std::byte>, std::string> read(const Change& change, Side side) const;
  // That which holds the image's header, or nullptr.
  const Change* header() const;
  // Its bytes; empty where there is none.
  std::expected<std::vector<std::byte>, std::string> read_header(Side side) const;
};

// The devices under repair.
struct RepairFiles {
  WritableDevice& image;
  WritableDevice* data_file = nullptr;

  WritableDevice& of(File target) const { return target == File::image ? image : *data_file; }
};

// Turns a plan into changes. Refuses, with a sentence for people, a plan that is not sound in itself, or was
// made for another image, or for another state of it: every write's old bytes must be there, once the writes
// before it took effect. The devices must outlive the changes, and be as they are until the journal is
// written.
std::expected<Changes, std::string> make_changes(const Plan& plan, const RepairFiles& files,
                                                 std::string note);

// What takes the image back.
Changes reverse(Changes changes);

// XXH3 of the first 64 KiB of a file without what `changes` changes: the same before, after and in between.
std::expected<std::uint64_t, IoError> hash_unchanged(const Device& device, File target,
                                                     const std::vector<Change>& changes,
                                                     std::uint64_t size_bytes);

// "cannot read IMAGE at 0x1000: Input/output error"; without the place where `verb` has none, as "open"
std::string describe_io_error(std::string_view verb, const std::string& name, const IoError& error);

}  // namespace cowvet
