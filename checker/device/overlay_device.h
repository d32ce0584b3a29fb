// Another device with changes on top that exist only in memory. Costs what was changed, whatever its size.
// Writing is not part of Device: only who made the overlay can change it, and not while others read.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "checker/device/device.h"

namespace cowvet {

class OverlayDevice final : public Device {
 public:
  // `below` must live as long and must not change.
  explicit OverlayDevice(const Device& below) : below_(below), size_bytes_(below.size_bytes()) {}

  // Grows the device where needed. What is written can be read even where the device below cannot.
  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  void resize(std::uint64_t size_bytes);  // what is added reads as zeros

  const Device& below() const { return below_; }

  const std::string& name() const override { return below_.name(); }
  std::uint64_t size_bytes() const override { return size_bytes_; }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;
  DataExtent next_data(std::uint64_t offset) const override;
  std::optional<FileIdentity> identity() const override { return below_.identity(); }
  bool is_block_device() const override { return below_.is_block_device(); }

 private:
  static constexpr std::uint64_t kPageBytes = 4096;
  // Of pages that were written in part, which bytes: the others still come from below.
  struct Page {
    std::array<std::byte, kPageBytes> bytes;
    std::bitset<kPageBytes> written;

    void mark(std::uint64_t first, std::uint64_t count, bool as_written);
    bool has(std::uint64_t first, std::uint64_t count) const;
  };

  std::expected<void, IoError> read_page(const Page& page, std::uint64_t offset,
                                         std::span<std::byte> out) const;
  std::expected<void, IoError> read_below(std::uint64_t offset, std::span<std::byte> out) const;

  const Device& below_;
  std::uint64_t size_bytes_;
  std::uint64_t below_end_ = ~std::uint64_t{0};  // nothing of `below` shows behind it: it was cut once
  std::map<std::uint64_t, Page> pages_;          // by number
};

}  // namespace cowvet
