#include "checker/device/overlay_device.h"

#include <algorithm>
#include <iterator>

namespace cowvet {
namespace {

constexpr int kMostJoined = 16;

}  // namespace

OverlayDevice::Written::const_iterator OverlayDevice::first_behind(std::uint64_t offset) const {
  const auto next = written_.upper_bound(offset);
  if (next == written_.begin()) return next;
  const auto before = std::prev(next);
  return before->first + before->second.size() > offset ? before : next;
}

// What is partly in [begin, end) keeps the rest.
void OverlayDevice::forget(std::uint64_t begin, std::uint64_t end) {
  for (auto at = first_behind(begin); at != written_.end() && at->first < end; at = first_behind(begin)) {
    const std::uint64_t offset = at->first;
    const Content content = std::move(written_.extract(at).mapped());
    const std::uint64_t behind = offset + content.size();
    if (offset < begin) written_[offset] = content.slice(0, begin - offset);
    if (behind > end) written_[end] = content.slice(end - offset, behind - end);
  }
}

void OverlayDevice::put(std::uint64_t offset, const Content& content) {
  if (content.empty()) return;
  const std::uint64_t end = offset + content.size();
  size_bytes_ = std::max(size_bytes_, end);
  forget(offset, end);
  written_[offset] = content;
}

void OverlayDevice::resize(std::uint64_t size_bytes) {
  if (size_bytes < size_bytes_) {
    below_end_ = std::min(below_end_, size_bytes);
    forget(size_bytes, ~std::uint64_t{0});
  }
  size_bytes_ = size_bytes;
}

Content OverlayDevice::content(std::uint64_t offset, std::uint64_t length) const {
  Content found;
  const std::uint64_t end = offset + length;
  const std::uint64_t below_end = std::min({below_end_, below_.size_bytes(), size_bytes_});
  auto written = first_behind(offset);
  while (offset < end) {
    std::uint64_t next = end;
    if (written != written_.end() && written->first <= offset) {
      const Content& content = written->second;
      next = std::min(end, written->first + content.size());
      found.append(content.slice(offset - written->first, next - offset));
      ++written;
    } else {
      if (written != written_.end()) next = std::min(end, written->first);
      if (offset < below_end) next = std::min(next, below_end);
      found.append(offset < below_end ? Content::original(offset, next - offset)
                                      : Content::zeros(next - offset));
    }
    offset = next;
  }
  return found;
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
  auto written = first_behind(offset);
  for (std::uint64_t at = offset; at < end;) {
    const bool is_written = written != written_.end() && written->first <= at;
    // Up to the end of what was written, or to where the next of it begins.
    std::uint64_t next = end;
    if (is_written)
      next = std::min(end, written->first + written->second.size());
    else if (written != written_.end())
      next = std::min(end, written->first);
    const std::span part = out.subspan(at - offset, next - at);
    const auto done =
        is_written ? written->second.read(at - written->first, part, below_) : read_below(at, part);
    if (!done) return done;
    if (is_written) ++written;
    at = next;
  }
  return {};
}

DataExtent OverlayDevice::next_data(std::uint64_t offset) const {
  if (offset >= size_bytes_) return {size_bytes_, size_bytes_};
  DataExtent data = below_.next_data(offset);
  const std::uint64_t below_end = std::min({below_end_, below_.size_bytes(), size_bytes_});
  data = {std::min(data.begin, below_end), std::min(data.end, below_end)};
  if (data.begin == data.end) data = {size_bytes_, size_bytes_};
  auto written = first_behind(offset);
  if (written == written_.end()) return data;
  const std::uint64_t begin = std::max(offset, written->first);
  if (begin >= data.begin) return data;
  // Pieces that touch are one extent, but a few of them: an answer costs the same however many there are.
  std::uint64_t end = begin;
  for (int joined = 0; joined < kMostJoined && written != written_.end() && written->first <= end; ++joined) {
    end = written->first + written->second.size();
    ++written;
  }
  return {begin, end};
}

}  // namespace cowvet
