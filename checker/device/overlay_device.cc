#include "checker/device/overlay_device.h"

#include <algorithm>

namespace cowvet {

void OverlayDevice::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  size_bytes_ = std::max(size_bytes_, offset + bytes.size());
  for (std::uint64_t done = 0; done < bytes.size();) {
    const std::uint64_t at = offset + done;
    const std::uint64_t in_page = at % kPageBytes;
    const std::uint64_t part = std::min<std::uint64_t>(kPageBytes - in_page, bytes.size() - done);
    const auto [slot, is_new] = pages_.try_emplace(at / kPageBytes);
    Page& page = slot->second;
    page.bytes.resize(kPageBytes);
    if (is_new && part != kPageBytes) page.written.resize(kPageBytes);
    if (part == kPageBytes) page.written.clear();
    std::ranges::copy(bytes.subspan(done, part), page.bytes.begin() + static_cast<std::ptrdiff_t>(in_page));
    if (!page.written.empty())
      std::fill_n(page.written.begin() + static_cast<std::ptrdiff_t>(in_page), part, true);
    done += part;
  }
}

void OverlayDevice::resize(std::uint64_t size_bytes) {
  if (size_bytes < size_bytes_) {
    below_end_ = std::min(below_end_, size_bytes);
    pages_.erase(pages_.upper_bound(size_bytes / kPageBytes), pages_.end());
    if (const auto last = pages_.find(size_bytes / kPageBytes); last != pages_.end()) {
      if (last->second.written.empty()) last->second.written.resize(kPageBytes, true);
      std::fill(last->second.written.begin() + static_cast<std::ptrdiff_t>(size_bytes % kPageBytes),
                last->second.written.end(), false);
    }
  }
  size_bytes_ = size_bytes;
}

std::expected<void, IoError> OverlayDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t from_below =
      offset < below_end_ ? std::min<std::uint64_t>(out.size(), below_end_ - offset) : 0;
  if (from_below != 0)
    if (const auto read = below_.read(offset, out.first(from_below)); !read) return read;
  std::ranges::fill(out.subspan(from_below), std::byte{0});
  const std::uint64_t end = offset + out.size();
  for (auto page = pages_.lower_bound(offset / kPageBytes); page != pages_.end(); ++page) {
    const std::uint64_t base = page->first * kPageBytes;
    if (base >= end) break;
    const std::uint64_t first = std::max(base, offset);
    const std::uint64_t last = std::min(base + kPageBytes, end);
    const auto& [bytes, written] = page->second;
    if (written.empty()) {
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(first - base), last - first,
                  out.begin() + static_cast<std::ptrdiff_t>(first - offset));
      continue;
    }
    for (std::uint64_t at = first; at < last; ++at)
      if (written[at - base]) out[at - offset] = bytes[at - base];
  }
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
