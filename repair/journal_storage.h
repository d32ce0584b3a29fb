// The place of the journal: two names in one directory. Behind an interface, so that tests can record, fail
// and crash it together with the image.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "checker/device/device.h"

namespace cowvet {

enum class JournalName : std::uint8_t {
  journal,  // of a repair that is under way, or was interrupted
  undo,     // of the last one that was finished
};

class JournalStorage {
 public:
  JournalStorage() = default;
  JournalStorage(const JournalStorage&) = delete;
  JournalStorage& operator=(const JournalStorage&) = delete;
  virtual ~JournalStorage() = default;

  virtual const std::string& path_of(JournalName name) const = 0;

  // Opens for reading; a null pointer: there is no such file.
  virtual std::expected<std::unique_ptr<Device>, IoError> open(JournalName name) const = 0;

  // Creates the journal, which must not exist, empty.
  virtual std::expected<void, IoError> create() = 0;
  // Opens the journal that exists, to append behind its first `size_bytes` bytes; the others are cut off.
  virtual std::expected<void, IoError> reopen(std::uint64_t size_bytes) = 0;
  virtual std::expected<void, IoError> append(std::span<const std::byte> bytes) = 0;
  // What was appended is on the medium afterwards.
  virtual std::expected<void, IoError> sync() = 0;

  virtual std::expected<void, IoError> rename_to_undo() = 0;  // what becomes of an older one is up to it
  virtual std::expected<void, IoError> remove() = 0;          // the journal
  // The names are on the medium afterwards.
  virtual std::expected<void, IoError> sync_directory() = 0;

  // Tells one run of the machine from another: only when the machine went down can a write that was not
  // flushed have left anything but its old or its new bytes.
  using BootId = std::array<std::byte, 16>;
  virtual BootId boot_id() const = 0;
};

}  // namespace cowvet
