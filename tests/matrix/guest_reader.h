// What a guest reads from an image in memory: the plainest reader that the specification allows, which knows
// nothing of the checker's passes, to judge what plans say about the guest's view.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checker/format/header.h"
#include "corpus/build.h"

namespace cowvet::matrix {

class GuestReader {
 public:
  // The files of `built`, as they are now. The backing file is that of the image before it was damaged.
  explicit GuestReader(const corpus::BuiltImage& built);

  bool is_usable() const { return header_.has_value(); }
  std::uint64_t size_bytes() const { return header_->size; }
  std::uint64_t cluster_bytes() const { return std::uint64_t{1} << header_->cluster_bits; }

  // The guest cluster at `guest`; nothing where an entry on the way to it is not as the specification wants
  // it, or its host bytes are not there.
  using Content = std::optional<std::vector<std::byte>>;
  Content active(std::uint64_t guest) const;
  Content snapshot(const std::string& owner, std::uint64_t guest) const;

  // "snapshot ID (NAME)"
  std::vector<std::string> owners() const;

 private:
  struct Disk {
    std::uint64_t l1_offset = 0;
    std::uint64_t l1_entries = 0;
    std::uint64_t bytes = 0;  // nothing is behind its end
  };

  void load_snapshots();
  std::optional<std::uint64_t> number(std::uint64_t offset) const;
  Content read(const Disk& disk, std::uint64_t guest) const;
  Content read_standard(std::uint64_t entry, std::uint64_t subclusters, std::uint64_t guest) const;
  std::span<const std::byte> file_with_data() const;
  Content read_compressed(std::uint64_t entry) const;
  bool fill_from_backing(std::uint64_t guest, std::span<std::byte> out) const;
  std::uint64_t entry_bytes() const { return header_->has_extended_l2() ? 16 : 8; }

  const corpus::BuiltImage& built_;
  std::optional<Header> header_;
  std::map<std::string, Disk> snapshots_;  // by owner
};

}  // namespace cowvet::matrix
