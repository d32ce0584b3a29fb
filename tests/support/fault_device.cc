#include "tests/support/fault_device.h"

#include <algorithm>

namespace cowvet {

std::unexpected<IoError> FaultDevice::fail(std::uint64_t begin, std::uint64_t end, int code) const {
  const IoError failure{.offset = begin, .length = end - begin, .code = code};
  ++failures_;
  const std::scoped_lock lock(mutex_);
  return std::unexpected(last_failure_ = failure);
}

std::expected<void, IoError> FaultDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t end = offset + out.size();
  if (++reads_ == failing_read_.number) return fail(offset, end, failing_read_.code);
  const FailingRange* first = nullptr;
  for (const FailingRange& range : ranges_)
    if (range.bytes.begin < end && offset < range.bytes.end)
      if (first == nullptr || range.bytes.begin < first->bytes.begin) first = &range;
  if (first == nullptr) return WrappingDevice::read(offset, out);
  return fail(std::max(offset, first->bytes.begin), std::min(end, first->bytes.end), first->code);
}

}  // namespace cowvet
