#include "checker/analysis/failed_reads.h"

namespace cowvet {

FailedReads::Failure& FailedReads::at(File file, const IoError& error) {
  constexpr std::uint64_t kSectorBytes = 512;
  return failures_.try_emplace({file, error.offset / kSectorBytes}, error).first->second;
}

void FailedReads::note(File file, const IoError& error) {
  const std::scoped_lock lock(mutex_);
  at(file, error);
}

bool FailedReads::report(File file, const IoError& error) {
  const std::scoped_lock lock(mutex_);
  return !std::exchange(at(file, error).reported, true);
}

void FailedReads::absorb(const FailedReads& other) {
  const std::scoped_lock lock(mutex_, other.mutex_);
  for (const auto& [key, failure] : other.failures_) at(key.first, failure.error);
}

std::vector<std::pair<File, IoError>> FailedReads::unreported() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::pair<File, IoError>> list;
  for (const auto& [key, failure] : failures_)
    if (!failure.reported) list.emplace_back(key.first, failure.error);
  return list;
}

std::expected<void, IoError> WatchedDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  auto result = device_.read(offset, out);
  if (!result) failed_.note(file_, result.error());
  return result;
}

}  // namespace cowvet
