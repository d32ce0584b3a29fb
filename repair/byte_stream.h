// Numbers, texts and bytes one behind the other, big-endian, as the journal holds them.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checker/format/endian.h"

namespace cowvet {

struct ByteSink {
  std::vector<std::byte> bytes;

  template <std::unsigned_integral T>
  void put(T value) {
    bytes.resize(bytes.size() + sizeof(T));
    store_big_endian(bytes.data() + bytes.size() - sizeof(T), value);
  }
  void put(std::span<const std::byte> more) { bytes.insert(bytes.end(), more.begin(), more.end()); }
  void put_text(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    put(std::as_bytes(std::span(text)));
  }
};

// What is asked for behind the end is zeros, or empty, and is remembered: is_good() is false from then on.
class ByteSource {
 public:
  explicit ByteSource(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <std::unsigned_integral T>
  T take() {
    const auto bytes = take_bytes(sizeof(T));
    return bytes.size() == sizeof(T) ? load_big_endian<T>(bytes.data()) : T{0};
  }
  std::span<const std::byte> take_bytes(std::size_t length) {
    if (length > rest_.size()) is_good_ = false;
    const auto taken = rest_.first(is_good_ ? length : 0);
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::string take_text() {
    const auto bytes = take_bytes(take<std::uint32_t>());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  bool is_good() const { return is_good_; }
  bool is_done() const { return is_good_ && rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
  bool is_good_ = true;
};

}  // namespace cowvet
