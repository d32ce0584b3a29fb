// Another device with changes on top that exist only in memory. Costs what was changed, whatever its size.
// Writing is not part of Device: only who made the overlay can change it, and not while others read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "checker/device/device.h"

namespace cowvet {

class OverlayDevice final : public Device {
 public:
  // `below` must live as long and must not change.
  explicit OverlayDevice(const Device& below) : below_(below), size_bytes_(below.size_bytes()) {}

  void write(std::uint64_t offset, std::span<const std::byte> bytes);  // grows the device where needed
  void resize(std::uint64_t size_bytes);                               // what is added reads as zeros

  const Device& below() const { return below_; }

  const std::string& name() const override { return below_.name(); }
  std::uint64_t size_bytes() const override { return size_bytes_; }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;
  DataExtent next_data(std::uint64_t offset) const override;
  std::optional<FileIdentity> identity() const override { return below_.identity(); }
  bool is_block_device() const override { return below_.is_block_device(); }

 private:
  static constexpr std::uint64_t kPageBytes = 4096;
  struct Page {
    std::vector<std::byte> bytes;
    // Which bytes were written; the others still come from below. Empty: all.
    std::vector<bool> written;
  };

  const Device& below_;
  std::uint64_t size_bytes_;
  std::uint64_t below_end_ = ~std::uint64_t{0};  // nothing of `below` shows behind it: it was cut once
  std::map<std::uint64_t, Page> pages_;          // by number
};

}  // namespace cowvet
