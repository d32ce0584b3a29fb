// Decodes the stream of one compressed cluster, and judges it as QEMU does when a guest reads it.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string_view>

#include "checker/format/header.h"

namespace cowvet {

// Keeps the scratch memory of a decoder between clusters: one object a thread. Memory is bounded whatever a
// stream claims: both decoders write into the caller's cluster and keep no window of their own.
class Decompressor {
 public:
  explicit Decompressor(CompressionType type);
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;
  ~Decompressor();

  // Decodes `stream` into exactly `cluster.size()` bytes. Bytes behind the stream are ignored: its length is
  // known only to the sector. The error says why the guest cannot read the cluster, without a full stop.
  std::expected<void, std::string_view> decode(std::span<const std::byte> stream,
                                               std::span<std::byte> cluster);

 private:
  struct Decoders;

  CompressionType type_;
  std::unique_ptr<Decoders> decoders_;
};

}  // namespace cowvet
