// Remembers every read that failed, whoever asked: passes that try a large read first, or look at a place for
// a second time, need not report what fails then, and still nothing goes unsaid.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "checker/analysis/finding.h"
#include "checker/device/device.h"

namespace cowvet {

class FailedReads {
 public:
  void note(File file, const IoError& error);

  // The same for a failure that will be reported at once. False: that place was reported before.
  bool report(File file, const IoError& error);

  // Takes over what another one noted, as not reported yet.
  void absorb(const FailedReads& other);

  // What was noted and not reported, by file and offset.
  std::vector<std::pair<File, IoError>> unreported() const;

 private:
  struct Failure {
    IoError error;
    bool reported = false;
  };
  // By sector: reads that begin at different places in it fail with different offsets.
  using Key = std::pair<File, std::uint64_t>;

  Failure& at(File file, const IoError& error);

  mutable std::mutex mutex_;
  std::map<Key, Failure> failures_;
};

// A device whose failures are noted.
class WatchedDevice final : public Device {
 public:
  WatchedDevice(File file, const Device& device, FailedReads& failed)
      : file_(file), device_(device), failed_(failed) {}
  WatchedDevice(File file, std::unique_ptr<Device> device, FailedReads& failed)
      : owned_(std::move(device)), file_(file), device_(*owned_), failed_(failed) {}

  const std::string& name() const override { return device_.name(); }
  std::uint64_t size_bytes() const override { return device_.size_bytes(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;
  DataExtent next_data(std::uint64_t offset) const override { return device_.next_data(offset); }
  std::optional<FileIdentity> identity() const override { return device_.identity(); }
  bool is_block_device() const override { return device_.is_block_device(); }

 private:
  std::unique_ptr<Device> owned_;
  File file_;
  const Device& device_;
  FailedReads& failed_;
};

}  // namespace cowvet
