// A qcow2 file as a test looks into it or changes it: one structure at a time, trusting what it reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "checker/format/entries.h"
#include "checker/format/extensions.h"
#include "checker/format/header.h"
#include "checker/format/snapshot.h"

namespace cowvet {

class ImageFile {
 public:
  explicit ImageFile(const std::filesystem::path& path);
  ImageFile(const ImageFile&) = delete;
  ImageFile& operator=(const ImageFile&) = delete;
  ~ImageFile();

  std::uint64_t size_bytes() const;
  std::vector<std::byte> read(std::uint64_t offset, std::uint64_t length) const;  // zeros past the end
  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  std::uint64_t read_u64(std::uint64_t offset) const;
  void write_u64(std::uint64_t offset, std::uint64_t value);

  const Header& header() const { return header_; }
  std::uint64_t cluster_bytes() const { return std::uint64_t{1} << header_.cluster_bits; }
  std::uint64_t l2_entry_bytes() const { return header_.has_extended_l2() ? 16 : 8; }
  std::uint64_t l2_entries() const { return cluster_bytes() / l2_entry_bytes(); }

  // The first cluster and the extensions in it.
  std::vector<std::byte> first_cluster() const { return read(0, cluster_bytes()); }

  std::vector<std::uint64_t> table(std::uint64_t offset, std::uint64_t entries) const;
  L1Entry l1_entry(std::uint64_t l1_index) const;
  // Where the L2 entry of a guest cluster lies; 0: it has no L2 table.
  std::uint64_t l2_entry_offset(std::uint64_t guest_cluster) const;
  L2Entry l2_entry(std::uint64_t guest_cluster) const;  // 0 without an L2 table
  std::uint64_t refcount(std::uint64_t host_cluster) const;
  std::vector<Snapshot> snapshots() const;

 private:
  int descriptor_;
  Header header_;
};

}  // namespace cowvet
