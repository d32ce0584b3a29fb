#include "checker/device/overlay_device.h"

#include <algorithm>

namespace cowvet {

void OverlayDevice::Page::mark(std::uint64_t first, std::uint64_t count, bool as_written) {
  if (count == kPageBytes) {
    written.reset();
    if (as_written) written.set();
  } else {
    for (std::uint64_t i = first; i < first + count; ++i) written.set(i, as_written);
  }
}

bool OverlayDevice::Page::has(std::uint64_t first, std::uint64_t count) const {
  if (written.all()) return true;
  for (std::uint64_t i = first; i < first + count; ++i)
    if (!written[i]) return false;
  return true;
}

void OverlayDevice::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  size_bytes_ = std::max(size_bytes_, offset + bytes.size());
  for (std::uint64_t done = 0; done < bytes.size();) {
    const std::uint64_t at = offset + done;
    const std::uint64_t in_page = at % kPageBytes;
    const std::uint64_t part = std::min<std::uint64_t>(kPageBytes - in_page, bytes.size() - done);
    Page& page = pages_[at / kPageBytes];
    std::ranges::copy(bytes.subspan(done, part), page.bytes.begin() + static_cast<std::ptrdiff_t>(in_page));
    page.mark(in_page, part, true);
    done += part;
  }
}

void OverlayDevice::resize(std::uint64_t size_bytes) {
  if (size_bytes < size_bytes_) {
    below_end_ = std::min(below_end_, size_bytes);
    pages_.erase(pages_.upper_bound(size_bytes / kPageBytes), pages_.end());
    const std::uint64_t kept = size_bytes % kPageBytes;
    if (const auto last = pages_.find(size_bytes / kPageBytes); last != pages_.end())
      last->second.mark(kept, kPageBytes - kept, false);
  }
  size_bytes_ = size_bytes;
}

std::expected<void, IoError> OverlayDevice::read_below(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t shown =
      offset < below_end_ ? std::min<std::uint64_t>(out.size(), below_end_ - offset) : 0;
  std::ranges::fill(out.subspan(shown), std::byte{0});
  return shown == 0 ? std::expected<void, IoError>() : below_.read(offset, out.first(shown));
}

std::expected<void, IoError> OverlayDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t there =
      offset < size_bytes_ ? std::min<std::uint64_t>(out.size(), size_bytes_ - offset) : 0;
  std::ranges::fill(out.subspan(there), std::byte{0});
  const std::uint64_t end = offset + there;
  for (std::uint64_t at = offset; at < end;) {
    const auto page = pages_.lower_bound(at / kPageBytes);
    const bool in_page = page != pages_.end() && page->first == at / kPageBytes;
    // Up to the end of this page, or to where the next one begins.
    const std::uint64_t next = page == pages_.end() ? end : (page->first + in_page) * kPageBytes;
    const std::span part = out.subspan(at - offset, std::min(end, next) - at);
    if (const auto done = in_page ? read_page(page->second, at, part) : read_below(at, part); !done)
      return done;
    at += part.size();
  }
  return {};
}

// `out` does not leave the page.
std::expected<void, IoError> OverlayDevice::read_page(const Page& page, std::uint64_t offset,
                                                      std::span<std::byte> out) const {
  const std::uint64_t first = offset % kPageBytes;
  const auto bytes = std::span(page.bytes).subspan(first, out.size());
  if (page.has(first, out.size())) {
    std::ranges::copy(bytes, out.begin());
    return {};
  }
  if (const auto done = read_below(offset, out); !done) return done;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (page.written[first + i]) out[i] = bytes[i];
  return {};
}

DataExtent OverlayDevice::next_data(std::uint64_t offset) const {
  if (offset >= size_bytes_) return {size_bytes_, size_bytes_};
  DataExtent data = below_.next_data(offset);
  const std::uint64_t below_end = std::min({below_end_, below_.size_bytes(), size_bytes_});
  data = {std::min(data.begin, below_end), std::min(data.end, below_end)};
  if (data.begin == data.end) data = {size_bytes_, size_bytes_};
  const auto page = pages_.lower_bound(offset / kPageBytes);
  if (page == pages_.end()) return data;
  const std::uint64_t begin = std::max(offset, page->first * kPageBytes);
  if (begin >= data.begin) return data;
  return {begin, std::min(page->first * kPageBytes + kPageBytes, size_bytes_)};
}

}  // namespace cowvet
