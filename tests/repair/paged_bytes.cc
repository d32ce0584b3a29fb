#include "tests/repair/paged_bytes.h"

#include <algorithm>
#include <cstring>

#include "checker/format/units.h"

namespace cowvet {

void PagedBytes::resize(std::uint64_t size_bytes) {
  pages_.resize(divide_up(size_bytes, kPageBytes));
  const std::uint64_t kept = size_bytes % kPageBytes;
  if (size_bytes < size_ && kept != 0 && pages_.back()) {
    auto page = std::make_shared<Page>(*pages_.back());
    std::fill(page->begin() + static_cast<std::ptrdiff_t>(kept), page->end(), std::byte{0});
    pages_.back() = std::move(page);
  }
  size_ = size_bytes;
}

void PagedBytes::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const std::uint64_t in_page = offset % kPageBytes;
    const auto length = std::min<std::uint64_t>(kPageBytes - in_page, out.size());
    const std::uint64_t number = offset / kPageBytes;
    if (number < pages_.size() && pages_[number])
      std::memcpy(out.data(), pages_[number]->data() + in_page, length);
    else
      std::memset(out.data(), 0, length);
    out = out.subspan(length);
    offset += length;
  }
}

void PagedBytes::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset + bytes.size() > size_) resize(offset + bytes.size());
  while (!bytes.empty()) {
    const std::uint64_t in_page = offset % kPageBytes;
    const auto length = std::min<std::uint64_t>(kPageBytes - in_page, bytes.size());
    std::shared_ptr<const Page>& old = pages_[offset / kPageBytes];
    auto page = old ? std::make_shared<Page>(*old) : std::make_shared<Page>();
    std::memcpy(page->data() + in_page, bytes.data(), length);
    old = std::move(page);
    bytes = bytes.subspan(length);
    offset += length;
  }
}

Bytes PagedBytes::all() const {
  Bytes bytes(size_);
  read(0, bytes);
  return bytes;
}

bool PagedBytes::operator==(const PagedBytes& other) const {
  constexpr Page kZeros{};
  if (size_ != other.size_) return false;
  for (std::size_t i = 0; i < pages_.size(); ++i) {
    if (pages_[i] == other.pages_[i]) continue;
    const Page& one = pages_[i] ? *pages_[i] : kZeros;
    if (one != (other.pages_[i] ? *other.pages_[i] : kZeros)) return false;
  }
  return true;
}

}  // namespace cowvet
