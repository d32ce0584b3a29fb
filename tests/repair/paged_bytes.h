// The bytes of a file, in pages that copies share until one of them is written to: a machine is copied for
// every state in which it may be found after a crash.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "checker/device/device.h"

namespace cowvet {

using Bytes = std::vector<std::byte>;

class PagedBytes {
 public:
  PagedBytes() = default;
  PagedBytes(const Bytes& bytes) { write(0, bytes); }  // wherever bytes are meant

  std::uint64_t size() const { return size_; }
  void resize(std::uint64_t size_bytes);                               // what is added is zeros
  void read(std::uint64_t offset, std::span<std::byte> out) const;     // zeros behind the end
  void write(std::uint64_t offset, std::span<const std::byte> bytes);  // grows
  Bytes all() const;

  bool operator==(const PagedBytes& other) const;

 private:
  static constexpr std::uint64_t kPageBytes = 4096;
  using Page = std::array<std::byte, kPageBytes>;

  std::vector<std::shared_ptr<const Page>> pages_;  // nullptr: zeros; zeros behind size_, too
  std::uint64_t size_ = 0;
};

class PagedDevice final : public Device {
 public:
  PagedDevice(PagedBytes bytes, std::string name) : bytes_(std::move(bytes)), name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    bytes_.read(offset, out);
    return {};
  }

 private:
  PagedBytes bytes_;
  std::string name_;
};

}  // namespace cowvet
