// What a guest reads, as QEMU reads it or as a recipe wrote it, and how two such contents differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "checker/format/units.h"
#include "corpus/guest_disk.h"

namespace cowvet {

// Offsets of guest sectors of 512 bytes.
using Sectors = std::set<std::uint64_t>;
std::string describe(const Sectors& sectors);  // as ranges, the first ones

struct GuestContent {
  std::function<void(std::uint64_t offset, std::span<std::byte> out)> read;
  std::vector<GuestRange> data;  // all else is zeros
  std::uint64_t size_bytes = 0;
  // Where reading is an error, and `read` gives anything.
  bool is_unreadable = false;
  Sectors unreadable;

  bool is_readable(std::uint64_t sector) const { return !is_unreadable && !unreadable.contains(sector); }
};

GuestContent content_of(const corpus::GuestDisk& disk, std::uint64_t size_bytes, std::uint64_t backing_bytes);

// What QEMU reads from an image (`qemu_name`, seen from `directory`): the active disk, or the snapshot with
// that id. It is kept in the file `raw`. Where QEMU cannot open it, nothing is readable, and `message` says
// why.
struct QemuContent {
  GuestContent content;
  std::string message;
};
QemuContent read_by_qemu(const std::filesystem::path& directory, const std::string& qemu_name,
                         const std::string& snapshot_id, const std::string& raw, std::uint64_t size_bytes);

// Where two contents differ, readable or not.
Sectors differences(const GuestContent& one, const GuestContent& other);

}  // namespace cowvet
