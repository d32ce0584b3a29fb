// A small sound image in memory, to be damaged by tests: header, refcount table, refcount block and L1 table
// in clusters 0 to 3 of 4 KiB; nothing mapped. Tests change `header` or `bytes`, then run passes on it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checker/analysis/context.h"
#include "checker/device/memory_device.h"
#include "checker/format/header.h"

namespace cowvet {

struct MemoryImage {
  static constexpr std::uint64_t kClusterBytes = 4096;

  MemoryImage();

  Header header;
  std::vector<std::byte> bytes;  // behind the header, which is encoded last

  // Writes `data` at `offset`, growing the image to whole clusters where needed.
  void put(std::uint64_t offset, std::span<const std::byte> data);
  void put(std::uint64_t offset, std::string_view text) { put(offset, std::as_bytes(std::span(text))); }
  template <std::unsigned_integral T>
  void put(std::uint64_t offset, T value) {
    std::byte raw[sizeof(T)];
    store_big_endian(raw, value);
    put(offset, std::span<const std::byte>(raw));
  }

  // Appends an extension behind those already there. The first one lies behind header.header_length.
  void add_extension(std::uint32_t type, std::string_view data);

  // The image with `header` in its place.
  std::vector<std::byte> encoded() const;

 private:
  std::uint64_t extensions_end_ = 0;  // 0: none yet
};

// An image under examination, with everything that a Context refers to.
struct Examination {
  explicit Examination(std::unique_ptr<Device> image, Options opt = {});
  explicit Examination(std::vector<std::byte> bytes, Options opt = {})
      : Examination(std::make_unique<MemoryDevice>(std::move(bytes)), opt) {}
  explicit Examination(const MemoryImage& image, Options opt = {}) : Examination(image.encoded(), opt) {}

  std::unique_ptr<Device> device;
  Inputs inputs;
  Options options;
  Progress progress;
  Context context;

  // The ids of the rules that fired, in the order of the catalogue, each once, separated by blanks.
  std::string fired() const;
  // The first finding of `id`; there must be one.
  Finding first(std::string_view id) const;
};

}  // namespace cowvet
