// Another device with changes on top that exist only in memory. Costs what was changed, held as compactly as
// Content holds it, whatever its size. Writing is not part of Device: only who made the overlay can change
// it, and not while others read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "checker/device/content.h"
#include "checker/device/device.h"

namespace cowvet {

class OverlayDevice final : public Device {
 public:
  // `below` must live as long and must not change.
  explicit OverlayDevice(const Device& below) : below_(below), size_bytes_(below.size_bytes()) {}

  // Grows the device where needed. What is written can be read even where the device below cannot. What
  // `content` copies is what lies below.
  void put(std::uint64_t offset, const Content& content);
  void write(std::uint64_t offset, std::span<const std::byte> bytes) { put(offset, Content(bytes)); }
  void resize(std::uint64_t size_bytes);  // what is added reads as zeros

  // What is there, in terms of what was written and of the device below.
  Content content(std::uint64_t offset, std::uint64_t length) const;

  const Device& below() const { return below_; }

  const std::string& name() const override { return below_.name(); }
  std::uint64_t size_bytes() const override { return size_bytes_; }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;
  DataExtent next_data(std::uint64_t offset) const override;
  std::optional<FileIdentity> identity() const override { return below_.identity(); }
  bool is_block_device() const override { return below_.is_block_device(); }

 private:
  using Written = std::map<std::uint64_t, Content>;  // disjoint, by offset

  Written::const_iterator first_behind(std::uint64_t offset) const;  // that ends behind it
  void forget(std::uint64_t begin, std::uint64_t end);
  std::expected<void, IoError> read_below(std::uint64_t offset, std::span<std::byte> out) const;

  const Device& below_;
  std::uint64_t size_bytes_;
  std::uint64_t below_end_ = ~std::uint64_t{0};  // nothing of `below` shows behind it: it was cut once
  Written written_;
};

}  // namespace cowvet
