// An export of an NBD server, read through libnbd.
#pragma once

#include <libnbd.h>

#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "checker/device/device.h"

namespace cowvet {

class NbdDevice final : public Device {
 public:
  // Connects as often as the server and this program have use for. The error is libnbd's.
  static std::expected<std::unique_ptr<NbdDevice>, std::string> connect(const std::string& address);

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return size_bytes_; }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;
  DataExtent next_data(std::uint64_t offset) const override;
  // An export has the length that it has, whatever is in it.
  bool is_block_device() const override { return true; }

 private:
  struct Close {
    void operator()(nbd_handle* handle) const { nbd_close(handle); }
  };
  // One request at a time.
  struct Connection {
    std::unique_ptr<nbd_handle, Close> handle;
    mutable std::mutex mutex;
  };
  struct Extent {
    DataExtent range;
    bool zero = false;
  };

  explicit NbdDevice(std::string name) : name_(std::move(name)) {}
  static std::expected<std::unique_ptr<nbd_handle, Close>, std::string> connect_once(
      const std::string& address);
  void learn(nbd_handle* handle);
  const Connection& free_connection(std::unique_lock<std::mutex>& lock) const;
  std::expected<void, IoError> read_aligned(std::uint64_t offset, std::span<std::byte> out) const;
  bool ask_extents(std::uint64_t offset) const;

  std::string name_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t least_bytes_ = 1;  // requests are multiples of it
  std::uint64_t most_bytes_ = 0;   // of one request
  bool knows_holes_ = false;
  std::deque<Connection> connections_;

  mutable std::mutex extents_mutex_;
  mutable std::vector<Extent> extents_;  // the server's last answer, in order, without gaps
};

}  // namespace cowvet
