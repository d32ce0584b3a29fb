// A device of any size that holds a few pieces of data between holes, and may refuse to read some bytes.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "checker/device/device.h"

namespace cowvet {

class SparseDevice final : public Device {
 public:
  SparseDevice(std::uint64_t size_bytes, std::vector<std::byte> begin) : size_(size_bytes) {
    pieces_[0] = std::move(begin);
  }

  // Pieces must not overlap.
  void put(std::uint64_t offset, std::vector<std::byte> bytes) { pieces_[offset] = std::move(bytes); }

  // Reads that touch [begin, end) fail from now on.
  void refuse(std::uint64_t begin, std::uint64_t end) { refused_ = {begin, end}; }

  std::uint64_t bytes_read() const { return bytes_read_; }

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return size_; }

  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::uint64_t end = offset + out.size();
    if (offset < refused_.end && refused_.begin < end)
      return std::unexpected(IoError{std::max(offset, refused_.begin), 1, EIO});
    bytes_read_ += out.size();
    std::ranges::fill(out, std::byte{0});
    for (const auto& [at, bytes] : pieces_) {
      const std::uint64_t from = std::max(offset, at);
      const std::uint64_t to = std::min(end, at + bytes.size());
      if (from < to) std::copy_n(bytes.data() + (from - at), to - from, out.data() + (from - offset));
    }
    return {};
  }

  DataExtent next_data(std::uint64_t offset) const override {
    for (const auto& [at, bytes] : pieces_)
      if (offset < at + bytes.size()) return {std::max(offset, at), at + bytes.size()};
    return {size_, size_};
  }

 private:
  std::string name_ = "sparse";
  std::uint64_t size_;
  std::map<std::uint64_t, std::vector<std::byte>> pieces_;
  DataExtent refused_;
  mutable std::uint64_t bytes_read_ = 0;
};

}  // namespace cowvet
